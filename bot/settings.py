"""Reads the settings, from the environment and a `.env` file, into one checked and frozen value."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError

WHERE_TO_GET = {
    "TELEGRAM_API_ID": "log in at https://my.telegram.org, open «API development tools» and copy «App api_id»",
    "TELEGRAM_API_HASH": "log in at https://my.telegram.org, open «API development tools» and copy «App api_hash»",
    "TELEGRAM_BOT_TOKEN": "write /newbot to @BotFather in Telegram and copy the token it answers with",
}
HOW_TO_WRITE = {
    "TELEGRAM_API_ID": "write the number that https://my.telegram.org calls «App api_id»",
    "TELEGRAM_SERVER": "write host:port, for example 127.0.0.1:443",
    "HEARTBEAT_URL": "write the whole address, with https:// before it",
    "PAGES_URL": "write the whole address, such as https://t.me",
    "PAGES_FALLBACK_URLS": "write whole addresses, such as https://telegram.me, with commas between them",
    "TIMESTAMP_URLS": "write whole addresses, such as http://timestamp.digicert.com, with commas between them, or off",
    "OPENTIMESTAMPS_URLS": "write whole addresses, such as https://a.pool.opentimestamps.org, with commas, or off",
    "OCR_LANGUAGES": "write Tesseract's codes, such as rus,ukr,eng",
    "OWNER_IDS": "write Telegram user ids, which are numbers, with commas between them",
}
# Beside the id lies the hash, and is pasted here by mistake; whoever has the address can speak for us.
_UNSHOWN = {"TELEGRAM_API_ID", "HEARTBEAT_URL"}
_SLOWEST, _FASTEST = 0.01, 100_000.0  # of rates: nothing outside is meant
_LONGEST_PATH, _LONGEST_NAME = 1000, 255  # bytes, with room for the names of files in it; of one folder
_LAST_PORT = 65_535
_SHOWN = 60  # characters of a wrong value
_PAGES = "https://t.me"
_AUTHORITIES = ("http://timestamp.digicert.com", "http://timestamp.globalsign.com/tsa/r6advanced1")
_CALENDARS = (
    "https://a.pool.opentimestamps.org",
    "https://b.pool.opentimestamps.org",
    "https://a.pool.eternitywall.com",
)
_TEN_YEARS = 10 * 365 * 24 * 3600.0  # s: more is a slip, and dates end


OcrLanguage = Annotated[str, Field(pattern=r"^[a-zA-Z_]{2,30}$")]
UserId = Annotated[int, Field(ge=1, lt=1 << 52)]  # https://core.telegram.org/api/bots/ids


class Settings(BaseSettings):
    """Everything that can be set; `.env.example` explains each variable."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8-sig",  # as Windows saves it, too
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
    )

    telegram_api_id: int | None = Field(default=None, ge=1, lt=1 << 31)
    telegram_api_hash: SecretStr | None = None
    telegram_bot_token: SecretStr | None = None
    channels: Annotated[tuple[str, ...], NoDecode] = ()  # followed at first start
    owner_ids: Annotated[tuple[UserId, ...], NoDecode] = ()  # Telegram user ids that are owners without a pairing link
    telegram_proxy: SecretStr | None = None  # socks5://…, http://… or an mtproxy link; may carry a password
    data_dir: Path = Path("data")
    sweep_interval: float = Field(default=60, ge=0.1, le=_TEN_YEARS)  # s
    verify_days: int = Field(
        default=30, ge=0, le=3650
    )  # of each channel's past that are read again, round and round; 0: none
    request_rate: float = Field(default=3, ge=_SLOWEST, le=_FASTEST)  # requests a second of one kind, on average
    join_interval: float = Field(default=300, ge=0, le=_TEN_YEARS)  # s between joins, after a first handful
    alert_max_age: float = Field(default=24 * 3600, gt=0, le=_TEN_YEARS)  # s; older posts are stored without an alert
    media_max_mb: int = Field(default=20, ge=0, le=4000)  # of a file of a matched post that is kept; 0: none is
    media_max_total_gb: float = Field(default=20, ge=0.01, le=1_000_000)  # of all of these; the oldest are removed
    # in which text in pictures is read, by Tesseract's codes
    ocr_languages: Annotated[tuple[OcrLanguage, ...], NoDecode] = ("rus", "ukr", "eng")
    pages_url: str = _PAGES  # where public channels can be read without an account
    pages_fallback_urls: Annotated[tuple[str, ...], NoDecode] = ("https://telegram.me",)  # where that is out
    pages_pause: float = Field(default=3, ge=0, le=_TEN_YEARS)  # s between two pages at least, a third more by chance
    pages_canary: str = Field(default="telegram", min_length=1)  # a channel that is always there, by name
    site_interval: float = Field(default=300, ge=1, le=_TEN_YEARS)  # s between two looks at a site, a tenth by chance
    site_private_addresses: bool = False  # sites may be of the machine's own network, which anybody who follows reaches
    send_rate_total: float = Field(default=30, ge=_SLOWEST, le=_FASTEST)  # messages a second in all
    send_rate_chat: float = Field(default=1, ge=_SLOWEST, le=_FASTEST)  # messages a second to one chat
    send_rate_group: float = Field(default=20, ge=_SLOWEST, le=_FASTEST)  # messages a minute to one group
    fallback_after: float = Field(default=300, ge=5, le=_TEN_YEARS)  # s that Telegram is out until alerts go elsewhere
    bot_name: str = Field(default="", max_length=64)  # that people see; empty: the one given at @BotFather stays
    # authorities that stamp the ledger (RFC 3161), by their URLs; none: it is signed alone
    timestamp_urls: Annotated[tuple[str, ...], NoDecode] = _AUTHORITIES
    # calendars that bring the ledger into Bitcoin (OpenTimestamps), by their URLs; asked where the extra is installed
    opentimestamps_urls: Annotated[tuple[str, ...], NoDecode] = _CALENDARS
    heartbeat_url: SecretStr | None = None  # fetched each minute while all is well
    http_port: int = Field(
        default=0, ge=0, le=_LAST_PORT
    )  # for readers of news, who fetch topics and searches; 0: none
    http_host: str = Field(default="127.0.0.1", min_length=1)  # the address of ours that takes them
    http_url: str = Field(default="", pattern=r"^(https?://\S+)?$")  # how others reach it; empty: by these two
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    telegram_server: str | None = Field(default=None, pattern=r"^.+:\d{1,5}$")  # host:port of another MTProto server
    telegram_server_key: Path | None = None  # its RSA public key, PEM PKCS#1

    @field_validator("channels", "owner_ids", "pages_fallback_urls", "ocr_languages", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("timestamp_urls", "opentimestamps_urls", mode="before")
    @classmethod
    def _web_addresses(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        urls = () if value.strip().lower() == "off" else tuple(url.strip() for url in value.split(",") if url.strip())
        for parts in map(urlsplit, urls):
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
                raise ValueError("it is not a web address")
        return urls

    @field_validator("heartbeat_url")
    @classmethod
    def _on_the_web(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # or no port: ValueError
                raise ValueError("it is not a web address")
        return url

    @field_validator("pages_url", "pages_fallback_urls")
    @classmethod
    def _pages_on_the_web(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        urls = [url.rstrip("/") for url in ([value] if isinstance(value, str) else value)]
        for parts in map(urlsplit, urls):
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or parts.query:
                raise ValueError("it is not a web address")
        return urls[0] if isinstance(value, str) else tuple(urls)

    @field_validator("telegram_server")
    @classmethod
    def _has_port(cls, address: str | None) -> str | None:
        if address is not None and not 0 < int(address.rpartition(":")[2]) <= _LAST_PORT:
            raise ValueError("there is no such port")
        return address

    @field_validator("data_dir", "telegram_server_key")
    @classmethod
    def _at_home(cls, path: Path | None) -> Path | None:
        """Read ~, which only a shell would else."""
        if path is not None and ("\0" in str(path) or len(os.fsencode(path)) > _LONGEST_PATH):
            raise ValueError("no file can have this name")
        if path is not None and any(len(os.fsencode(name)) > _LONGEST_NAME for name in path.parts):
            raise ValueError("no file can have this name")
        try:
            return path and path.expanduser()
        except RuntimeError:
            raise ValueError("no user of this name has a home folder here") from None

    @field_validator("telegram_server_key")
    @classmethod
    def _is_file(cls, path: Path | None) -> Path | None:
        if path is not None and path.exists() and not path.is_file():  # whoever reads a pipe waits for ever
            raise ValueError("it is not a file")
        return path

    @property
    def has_pages(self) -> bool:
        """Say whether channels have web pages: those of https://t.me are of no other server than Telegram."""
        return self.telegram_server is None or self.pages_url != _PAGES

    @property
    def authorities(self) -> tuple[str, ...]:
        """Name the authorities that stamp the ledger; of a test server the usual ones shall not be bothered."""
        is_usual = self.timestamp_urls == _AUTHORITIES
        return () if self.telegram_server is not None and is_usual else self.timestamp_urls

    @property
    def calendars(self) -> tuple[str, ...]:
        """Name the calendars of OpenTimestamps; of a test server the usual ones shall not be bothered."""
        is_usual = self.opentimestamps_urls == _CALENDARS
        return () if self.telegram_server is not None and is_usual else self.opentimestamps_urls

    @property
    def wants_calendars(self) -> bool:
        """Say whether somebody has named calendars: the usual ones are asked only where the extra is installed."""
        return self.calendars not in {(), _CALENDARS}

    @property
    def database_path(self) -> Path:
        """Say where the database lies."""
        return self.data_dir / "bot.db"

    @property
    def media_path(self) -> Path:
        """Say where the files of posts lie."""
        return self.data_dir / "media"

    @property
    def topics_path(self) -> Path:
        """Say where topics of the newsroom's own lie."""
        return self.data_dir / "topics"

    def require(self, *names: str) -> None:
        """Check that these variables are set.

        Raises SettingsError with a line for each that is missing: its name and where to get it.
        """
        missing = [name for name in names if getattr(self, name.lower()) is None]
        if missing:
            lines = (f"{name} is not set: {WHERE_TO_GET[name]}" for name in missing)
            raise SettingsError("\n".join([*lines, "Put it in .env (see .env.example) or in the environment."]))


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` win over the environment.

    Raises SettingsError with one line for each wrong variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks the values
    except UnicodeDecodeError:
        raise SettingsError(".env is not in UTF-8: save the file in UTF-8") from None
    except ValidationError as error:
        lines: dict[str, str] = {}
        for wrong in error.errors():
            name = str(wrong["loc"][0]).upper()
            lines.setdefault(name, _refusal(name, wrong["input"], wrong["msg"].removeprefix("Value error, ")))
        raise SettingsError("\n".join(lines.values())) from None


def _refusal(name: str, value: object, reason: str) -> str:
    shown = "" if name in _UNSHOWN else f" «{printable(str(value))}»"
    return f"{name}:{shown} cannot be used: {HOW_TO_WRITE.get(name, reason)}"


def printable(value: str) -> str:
    """Shorten a value, and leave out what a terminal would obey."""
    short = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in short)
