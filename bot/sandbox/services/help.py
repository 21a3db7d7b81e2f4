"""help.*: what a client asks of the server itself comes in; its address and limits go out."""

from collections.abc import Callable
from datetime import timedelta

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import World
from bot.sandbox.world.media import DC_ID
from bot.sandbox.world.text import MAX_CAPTION, MAX_TEXT

_DC_IDS = range(1, 6)  # all of them are this server
_LIMITS = {  # Telegram's figures, as far as clients heed them
    "chat_size_max": 200,
    "megagroup_size_max": 200_000,
    "forwarded_count_max": 100,
    "online_update_period_ms": 210_000,
    "offline_blur_timeout_ms": 5_000,
    "offline_idle_timeout_ms": 30_000,
    "online_cloud_timeout_ms": 300_000,
    "notify_cloud_delay_ms": 30_000,
    "notify_default_delay_ms": 1_500,
    "push_chat_period_ms": 60_000,
    "push_chat_limit": 2,
    "edit_time_limit": 172_800,
    "revoke_time_limit": 172_800,
    "revoke_pm_time_limit": 2_147_483_647,
    "rating_e_decay": 2_419_200,
    "stickers_recent_limit": 200,
    "channels_read_media_period": 604_800,
    "call_receive_timeout_ms": 20_000,
    "call_ring_timeout_ms": 90_000,
    "call_connect_timeout_ms": 30_000,
    "call_packet_timeout_ms": 10_000,
    "caption_length_max": MAX_CAPTION,
    "message_length_max": MAX_TEXT,
    "webfile_dc_id": DC_ID,
}
_APP_CONFIG = {
    "channels_limit_default": 500,
    "caption_length_limit_default": MAX_CAPTION,
    "reactions_uniq_max": 11,
}


class HelpService(Service):
    """The server's own particulars."""

    def __init__(self, world: World, address: Callable[[], tuple[str, int]]) -> None:
        super().__init__(world)
        self._address = address

    @handles(functions.help.GetConfigRequest, anonymous=True)
    def get_config(self, _request: functions.help.GetConfigRequest, _caller: Caller) -> TLObject:
        """Return where the data centres are."""
        now = self.world.hub.now()
        return tl.Config(
            date=now,
            expires=now + timedelta(hours=1),
            test_mode=False,
            this_dc=DC_ID,
            dc_options=[tl.DcOption(number, *self._address()) for number in _DC_IDS],
            dc_txt_domain_name="",
            me_url_prefix="https://t.me/",
            **_LIMITS,
        )

    @handles(functions.help.GetAppConfigRequest, anonymous=True)
    def get_app_config(self, _request: functions.help.GetAppConfigRequest, _caller: Caller) -> TLObject:
        """Return the limits of accounts."""
        values = [tl.JsonObjectValue(key, tl.JsonNumber(value)) for key, value in _APP_CONFIG.items()]
        return tl.help.AppConfig(1, tl.JsonObject(values))

    @handles(functions.help.GetNearestDcRequest, anonymous=True)
    def get_nearest_dc(self, _request: functions.help.GetNearestDcRequest, _caller: Caller) -> TLObject:
        """Return this data centre."""
        return tl.NearestDc("RU", DC_ID, DC_ID)
