"""The commands that Telegram shows in the menu: by the language of a phone or chat, and by what somebody may do."""

from collections.abc import Iterable

import structlog

from bot.commands import registry
from bot.errors import TelegramError
from bot.locales import PHONES, translator
from bot.models.outgoing import Peer, PeerKind
from bot.models.people import Role
from bot.runtime.supervisor import TURN, Beat, no_beat
from bot.store import chats, people
from bot.store.database import Database
from bot.telegram.client import Client
from bot.telegram.menu import MenuScope, write_menu

log = structlog.get_logger(__name__)

_GROUPS = {MenuScope.GROUPS: Role.READER, MenuScope.GROUP_ADMINS: Role.EDITOR}


class CommandMenus:
    """Tells Telegram what the menus show; where it does not take one, that is logged."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database

    async def register(self, beat: Beat = no_beat) -> None:
        """Tell Telegram the commands that it shows in the menu, by the language of a phone; English is for all others.

        By itself it shows what readers may do; to the administrators of a group, what editors may do there. Owners and
        editors see more in private; where a chat has chosen its language, that is shown, whatever Telegram's is.
        """
        for code, language in PHONES.items():
            t = translator(language)
            await self._set(registry.menu(t, Role.READER), MenuScope.EVERYBODY, code)
            for scope, role in _GROUPS.items():
                await self._set(registry.menu(t, role, private=False), scope, code)
        for chat in await chats.with_own_menu(self._database):
            beat(TURN)
            await self.show(chat.peer, chat.language)

    async def show(self, peer: Peer, language: str) -> None:
        """Show a chat the commands of its person, or of a group's editors; to somebody who was removed none."""
        t = translator(language)
        if peer.kind is not PeerKind.USER:
            entries = registry.menu(t, Role.EDITOR, private=False)
        else:
            entries = registry.menu(t, await people.role_of(self._database, peer.id))
        await self._set(entries, peer)

    async def show_people(self, person_ids: Iterable[int]) -> None:
        """Show people whose role has changed what they may do now."""
        for person_id in person_ids:
            chat = await chats.by_peer(self._database, PeerKind.USER, person_id)
            if chat is not None:
                await self.show(chat.peer, chat.language)

    async def _set(self, entries: Iterable[tuple[str, str]], shown_to: MenuScope | Peer, language: str = "") -> None:
        try:
            await write_menu(self._client, entries, shown_to, language)
        except TelegramError as error:
            log.warning("Telegram did not take the command menu", error=error.error)
