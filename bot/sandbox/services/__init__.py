"""The services of the embedded server: requests of every TL namespace it knows come in, TL results go out."""

from collections.abc import Callable

from bot.sandbox.services.account import AccountService
from bot.sandbox.services.auth import AuthService
from bot.sandbox.services.base import Service
from bot.sandbox.services.bots import BotsService
from bot.sandbox.services.callbacks import CallbacksService
from bot.sandbox.services.changing import ChangingService
from bot.sandbox.services.channels import ChannelsService
from bot.sandbox.services.chatlists import ChatlistsService
from bot.sandbox.services.contacts import ContactsService
from bot.sandbox.services.dialogs import DialogsService
from bot.sandbox.services.help import HelpService
from bot.sandbox.services.history import HistoryService
from bot.sandbox.services.invites import InvitesService
from bot.sandbox.services.members import MembersService
from bot.sandbox.services.sending import SendingService
from bot.sandbox.services.updates import UpdatesService
from bot.sandbox.services.upload import UploadService
from bot.sandbox.services.users import UsersService
from bot.sandbox.world import World

_SERVICES: tuple[type[Service], ...] = (
    AccountService,
    AuthService,
    BotsService,
    CallbacksService,
    ChangingService,
    ChannelsService,
    ChatlistsService,
    ContactsService,
    DialogsService,
    HistoryService,
    InvitesService,
    MembersService,
    SendingService,
    UpdatesService,
    UploadService,
    UsersService,
)


def services_of(world: World, address: Callable[[], tuple[str, int]]) -> list[Service]:
    """Return every service on this world; `address` says where the server listens."""
    return [HelpService(world, address), *(service(world) for service in _SERVICES)]
