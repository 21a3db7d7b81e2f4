"""auth.*: phone numbers, codes, tokens and passwords come in; authorisations go out."""

from telethon.tl import TLObject, functions
from telethon.tl import types as tl

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Refused
from bot.sandbox.world.logins import Token
from bot.sandbox.world.peers import Account


class AuthService(Service):
    """Signs authorisations in and out."""

    @handles(functions.auth.SendCodeRequest, anonymous=True)
    def send_code(self, request: functions.auth.SendCodeRequest, _caller: Caller) -> TLObject:
        """Send a code to a phone; World.login_code tells it to the test."""
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
        """Sign in by a code; accounts are not made here."""
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
        return _signed_in(account, caller)

    @handles(functions.auth.ImportBotAuthorizationRequest, anonymous=True)
    def import_bot(self, request: functions.auth.ImportBotAuthorizationRequest, caller: Caller) -> TLObject:
        """Sign a bot in by its token."""
        return _signed_in(self.world.logins.bot(request.bot_auth_token), caller)

    @handles(functions.auth.ExportLoginTokenRequest, anonymous=True)
    def export_token(self, _request: functions.auth.ExportLoginTokenRequest, caller: Caller) -> TLObject:
        """Return the token to show as a QR code, or sign in where it was scanned."""
        return self._token(self.world.logins.token(caller.auth, self.world.hub.now()), caller)

    @handles(functions.auth.ImportLoginTokenRequest, anonymous=True)
    def import_token(self, request: functions.auth.ImportLoginTokenRequest, caller: Caller) -> TLObject:
        """Do the same for a token that another data centre gave."""
        return self._token(self.world.logins.shown(request.token, self.world.hub.now()), caller)

    def _token(self, token: Token, caller: Caller) -> TLObject:
        if token.account is None:
            return tl.auth.LoginToken(token.until, token.value)
        self.world.logins.spend(token)
        return tl.auth.LoginTokenSuccess(self._first_step(token.account, caller))

    @handles(functions.auth.AcceptLoginTokenRequest)
    def accept_token(self, request: functions.auth.AcceptLoginTokenRequest, caller: Caller) -> TLObject:
        """Let whoever shows a token sign in to the asker's account."""
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
            return _signed_in(account, caller)
        caller.auth.password_needed = account.id
        raise Refused("SESSION_PASSWORD_NEEDED", 401)


def _signed_in(account: Account, caller: Caller) -> TLObject:
    caller.auth.account_id = account.id
    caller.auth.password_needed = None
    caller.auth.revoked = False
    return tl.auth.Authorization(account.shown_to(account))
