"""Has Telegram translate what people want to read in another language, through a reader account: no bot may ask.

The text of the stored version is sent, and the number of the message only where Telegram refuses that text: so the
answer is of these words, whatever the post says by now, and of posts too that are gone or came from an export or a
page. https://core.telegram.org/method/messages.translateText
"""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from telethon.tl import types
from telethon.tl.functions.messages import TranslateRichMessageRequest, TranslateTextRequest

from bot.errors import TelegramError, Verdict
from bot.runtime.pauses import doubled
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.sources.account import LONG_AGO, Account
from bot.store import translations
from bot.store.database import Subject
from bot.store.translations import WantedTranslation
from bot.telegram.errors import FLOOD
from bot.telegram.media import read_message
from bot.telegram.rich import flatten

log = structlog.get_logger(__name__)

PIECE = 2000  # characters that are translated at once: no more UTF-16 units than a message has
AT_ONCE = 20  # pieces in one request
LOOK_EVERY = 30.0  # s between two looks for what is to be asked again
CLAIMED = timedelta(minutes=3)  # nobody else asks for what is being asked
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)  # after a failure; doubled each time
EXHAUSTED = timedelta(minutes=10)  # after Telegram said that the quota is used up: nothing is asked
GIVE_UP_AFTER = timedelta(days=1)
_QUOTA, _FAILED, _SILENT = "TRANSLATE_REQ_QUOTA_EXCEEDED", "TRANSLATE_REQ_FAILED", "no answer"


class Translations:
    """Asks for translations through one reader account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._rests_until = LONG_AGO  # Telegram translates nothing before

    async def run(self, beat: Beat = no_beat) -> None:
        """Ask for ever. Raises ReaderLostError."""
        await self._account.database.changes.work_off(
            Subject.TRANSLATIONS, self.translate_next, beat, turn=CLAIMED.total_seconds() + TURN, pause=LOOK_EVERY
        )

    async def translate_next(self) -> bool:
        """Have one text translated; return False where there is none, or Telegram is to be left alone."""
        now, database = self._account.now(), self._account.database
        if now < self._rests_until or not await translations.is_due(database, now):
            return False
        reader_id = self._account.reader_id
        wanted = await database.write(lambda tx: translations.claim(tx, reader_id, until=now + CLAIMED, now=now))
        if wanted is None:  # another reader has taken it
            return False
        try:
            text = await self._ask(wanted)
        except TelegramError as error:
            await self._put_off(wanted, error)
        else:
            await database.write(lambda tx: translations.done(tx, wanted, text, now=self._account.now()))
        return True

    async def _ask(self, wanted: WantedTranslation) -> str:
        """Return the translated text. Raises TelegramError, ReaderLostError."""
        try:
            return await self._ask_text(wanted)
        except TelegramError as error:
            if error.verdict is not Verdict.DROP or wanted.access_hash is None:
                raise
            return await self._ask_by_number(wanted, wanted.access_hash)

    async def _ask_by_number(self, wanted: WantedTranslation, access_hash: int) -> str:
        """Have the message itself translated, of which this is the current version; its parts are not."""
        peer, number = types.InputPeerChannel(wanted.channel_id, access_hash), [wanted.message_id]
        message = read_message(wanted.raw, wanted.layer)
        is_rich = getattr(message, "rich_message", None) is not None
        request = TranslateRichMessageRequest if is_rich else TranslateTextRequest
        answer = await self._account.ask(request(wanted.language, peer=peer, id=number))
        for each in answer.result:
            return flatten(each).text if is_rich else str(each.text)
        raise TelegramError(_FAILED, code=0, verdict=Verdict.RETRY)

    async def _ask_text(self, wanted: WantedTranslation) -> str:
        found, translated = list(pieces(wanted.whole)), list[str]()
        for start in range(0, len(found), AT_ONCE):
            batch = [types.TextWithEntities(piece, []) for piece in found[start : start + AT_ONCE]]
            answer = await self._account.ask(TranslateTextRequest(wanted.language, text=batch))
            if len(answer.result) != len(batch):
                raise TelegramError(_FAILED, code=0, verdict=Verdict.RETRY)
            translated += [each.text for each in answer.result]
        return "\n".join(translated)

    async def _put_off(self, wanted: WantedTranslation, error: TelegramError) -> None:
        log.info("a text could not be translated now", version=wanted.version_id, error=error.error)
        now = self._account.now()
        pause = doubled(FIRST_PAUSE, wanted.attempts, LONGEST_PAUSE)
        if error.error == _QUOTA or error.code == FLOOD:
            pause = max(EXHAUSTED, timedelta(seconds=error.retry_after))
            self._rests_until = now + pause
        until = now + pause if error.verdict is Verdict.RETRY else None
        reason = error.error
        if until is not None and until - wanted.wanted_at > GIVE_UP_AFTER:
            until, reason = None, _SILENT
        await self._account.database.write(
            lambda tx: translations.put_off(tx, wanted, reason, until=until, now=self._account.now())
        )


def pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of `PIECE` characters at most, at ends of lines or sentences where there are any."""
    rest = text.strip()
    while len(rest) > PIECE:
        at = max(rest.rfind("\n", 0, PIECE), 0) or max(rest.rfind(". ", 0, PIECE) + 1, 0) or rest.rfind(" ", 0, PIECE)
        at = at if at > 0 else PIECE
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
    yield rest
