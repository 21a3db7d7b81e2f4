"""auth.*, account.* and help.*: signing in and out, the 2FA password, and the server's configuration."""

from collections.abc import Callable
from datetime import timedelta

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import RpcService, handles
from bot.sandbox.world import Refused, World
from bot.sandbox.world.logins import Token
from bot.sandbox.world.media import DC_ID
from bot.sandbox.world.peers import Account
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


class AccountService(RpcService):
    """Signing in and out, and the server's configuration."""

    def __init__(self, world: World, address: Callable[[], tuple[str, int]]) -> None:
        super().__init__(world)
        self._address = address

    @handles(functions.auth.SendCodeRequest, anonymous=True)
    def send_code(self, request: functions.auth.SendCodeRequest, _caller: Caller) -> TLObject:
        """Send a code to a phone; tests read it with World.login_code."""
        if not request.api_id or not request.api_hash:
            raise Refused("API_ID_INVALID")
        return self._send(request.phone_number)

    @handles(functions.auth.ResendCodeRequest, anonymous=True)
    def resend_code(self, request: functions.auth.ResendCodeRequest, _caller: Caller) -> TLObject:
        """Send another code."""
        return self._send(request.phone_number)

    def _send(self, phone: str) -> TLObject:
        code = self.world.logins.send_code(phone, self.world.hub.now())
        return tl.auth.SentCode(tl.auth.SentCodeTypeApp(len(code.digits)), code.digest)

    @handles(functions.auth.SignInRequest, anonymous=True)
    def sign_in(self, request: functions.auth.SignInRequest, caller: Caller) -> TLObject:
        """Sign in by a code; no account is made for an unknown phone."""
        account = self.world.logins.sign_in(
            request.phone_number, request.phone_code_hash, request.phone_code or "", self.world.hub.now()
        )
        if account is None:
            return tl.auth.AuthorizationSignUpRequired()
        return self._first_step(account, caller)

    @handles(functions.auth.CheckPasswordRequest, anonymous=True)
    def check_password(self, request: functions.auth.CheckPasswordRequest, caller: Caller) -> TLObject:
        """Sign in by the 2FA password after the code or the token."""
        if caller.auth.password_needed is None:
            raise Refused("AUTH_KEY_UNREGISTERED", 401)
        account = self.world.user(caller.auth.password_needed)
        self.world.passwords.check(account.id, request.password)
        return _sign_in(account, caller)

    @handles(functions.auth.ImportBotAuthorizationRequest, anonymous=True)
    def import_bot(self, request: functions.auth.ImportBotAuthorizationRequest, caller: Caller) -> TLObject:
        """Sign a bot in by its token."""
        return _sign_in(self.world.logins.bot(request.bot_auth_token), caller)

    @handles(functions.auth.ExportLoginTokenRequest, anonymous=True)
    def export_token(self, _request: functions.auth.ExportLoginTokenRequest, caller: Caller) -> TLObject:
        """Return the token to show as a QR code, or sign in once it was scanned."""
        return self._token(self.world.logins.token(caller.auth, self.world.hub.now()), caller)

    @handles(functions.auth.ImportLoginTokenRequest, anonymous=True)
    def import_token(self, request: functions.auth.ImportLoginTokenRequest, caller: Caller) -> TLObject:
        """Return, or sign in by, a token of another data centre."""
        return self._token(self.world.logins.find_token(request.token, self.world.hub.now()), caller)

    def _token(self, token: Token, caller: Caller) -> TLObject:
        if token.account is None:
            return tl.auth.LoginToken(token.until, token.value)
        self.world.logins.spend(token)
        return tl.auth.LoginTokenSuccess(self._first_step(token.account, caller))

    @handles(functions.auth.AcceptLoginTokenRequest)
    def accept_token(self, request: functions.auth.AcceptLoginTokenRequest, caller: Caller) -> TLObject:
        """Sign the client that shows a token in to the caller's account."""
        now = self.world.hub.now()
        self.world.accept_login_token(request.token, self.person(caller))
        return tl.Authorization(0, "", "", "", 0, "", "", now, now, "127.0.0.1", "", "")

    @handles(functions.auth.LogOutRequest)
    def log_out(self, _request: functions.auth.LogOutRequest, caller: Caller) -> TLObject:
        """End this authorisation."""
        caller.auth.account_id = None
        return tl.auth.LoggedOut()

    def _first_step(self, account: Account, caller: Caller) -> TLObject:
        if account.password is None:
            return _sign_in(account, caller)
        caller.auth.password_needed = account.id
        raise Refused("SESSION_PASSWORD_NEEDED", 401)

    @handles(functions.account.GetPasswordRequest, anonymous=True)
    def get_password(self, _request: functions.account.GetPasswordRequest, caller: Caller) -> TLObject:
        """Return the SRP challenge, for an account between code and password too."""
        number = caller.account_id or caller.auth.password_needed
        if number is None:
            raise Refused("AUTH_KEY_UNREGISTERED", 401)
        return self.world.passwords.challenge(number, self.world.user(number).password)

    @handles(functions.account.UpdateStatusRequest)
    def update_status(self, _request: functions.account.UpdateStatusRequest, caller: Caller) -> bool:
        """Accept that a person is online; no other account sees it."""
        self.person(caller)
        return True

    @handles(functions.help.GetConfigRequest, anonymous=True)
    def get_config(self, _request: functions.help.GetConfigRequest, _caller: Caller) -> TLObject:
        """Return the data centres, all of which are this server, and the limits."""
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


def _sign_in(account: Account, caller: Caller) -> TLObject:
    caller.auth.account_id = account.id
    caller.auth.password_needed = None
    caller.auth.revoked = False
    return tl.auth.Authorization(account.tl_for(account))
