"""What the renderers of all notices share."""

from collections.abc import Sequence
from functools import singledispatch

from bot.locales.locale import Locale
from bot.models.notices import Notice
from bot.models.outgoing import Outgoing
from bot.text.markup import join_names, one_line

NAME_ROOM = 120  # UTF-16 units of a foreign name
SHOWN_NAMES = 12  # in one list


@singledispatch
def render_notice(notice: Notice, locale: Locale) -> Outgoing:
    """Write a notice for its chat."""
    raise NotImplementedError(f"no renderer is registered for {type(notice).__name__}")


def shown_name(name: str) -> str:
    """Return a foreign name as a notice has room for it."""
    return one_line(name, NAME_ROOM)


def listed(names: Sequence[str], total: int | None = None) -> str:
    """Return names with commas between them, of `total` the first ones."""
    return join_names(names, SHOWN_NAMES, total=total)
