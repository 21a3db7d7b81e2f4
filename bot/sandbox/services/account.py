"""account.*: what a client asks of its own account comes in; the 2FA challenge goes out."""

from telethon.tl import TLObject, functions

from bot.sandbox.dispatcher import Caller
from bot.sandbox.services.base import Service, handles
from bot.sandbox.world import Refused


class AccountService(Service):
    """The asker's own settings."""

    @handles(functions.account.GetPasswordRequest, anonymous=True)
    def get_password(self, _request: functions.account.GetPasswordRequest, caller: Caller) -> TLObject:
        """Return the SRP challenge, also between the code and the password."""
        number = caller.account_id or caller.auth.password_needed
        if number is None:
            raise Refused("AUTH_KEY_UNREGISTERED", 401)
        return self.world.passwords.challenge(number, self.world.user(number).password)

    @handles(functions.account.UpdateStatusRequest)
    def update_status(self, _request: functions.account.UpdateStatusRequest, caller: Caller) -> bool:
        """Take note that a person is online; nobody sees it here."""
        self.person(caller)
        return True
