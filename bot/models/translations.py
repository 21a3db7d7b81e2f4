"""Translations of posts by Telegram."""

from dataclasses import dataclass
from enum import StrEnum


class TranslationState(StrEnum):
    """What became of a translation."""

    WANTED = "wanted"  # it is asked for
    DONE = "done"  # it is here
    SAME = "same"  # the post is in that language
    LEFT = "left"  # Telegram refuses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What a version says, in another language."""

    state: TranslationState
    text: str | None = None  # of a done one: the body and the parts of the post
    reason: str | None = None  # why it was left or put off: Telegram's error string
