"""What a server knows of an authorisation key: who is signed in with it, and the client that introduced itself."""

from dataclasses import dataclass
from datetime import datetime

from telethon.crypto import AuthKey


@dataclass(slots=True, kw_only=True, eq=False)
class Auth:
    """An authorisation key, and who is signed in with it."""

    key: AuthKey
    created: datetime
    account_id: int | None = None  # None = nobody
    password_needed: int | None = None  # the account that gave its code and owes its 2FA password
    revoked: bool = False  # signed out from elsewhere
    layer: int | None = None  # the TL layer of its last invokeWithLayer
    api_id: int | None = None  # this and the rest: from initConnection
    device_model: str | None = None
    system_version: str | None = None
    app_version: str | None = None
    system_lang_code: str | None = None
    lang_code: str | None = None
