"""The services of the embedded server, by TL namespace: each request is a method that works on the world."""

from collections.abc import Callable

from bot.sandbox.services.account import AccountService
from bot.sandbox.services.base import RpcService
from bot.sandbox.services.bots import BotsService
from bot.sandbox.services.channels import ChannelsService
from bot.sandbox.services.discovery import DiscoveryService
from bot.sandbox.services.history import HistoryService
from bot.sandbox.services.messages import MessagesService
from bot.sandbox.services.stories import StoriesService
from bot.sandbox.services.translations import TranslationsService
from bot.sandbox.services.updates import UpdatesService
from bot.sandbox.services.upload import UploadService
from bot.sandbox.services.users import UsersService
from bot.sandbox.world import World


def services_of(world: World, address: Callable[[], tuple[str, int]]) -> list[RpcService]:
    """Return every service on this world; `address` says where the server listens."""
    services = (
        BotsService,
        ChannelsService,
        DiscoveryService,
        HistoryService,
        MessagesService,
        StoriesService,
        TranslationsService,
        UpdatesService,
        UploadService,
        UsersService,
    )
    return [AccountService(world, address), *(service(world) for service in services)]
