"""The exception by which the world refuses, with Telegram's own code and error string."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer here, not a malfunction
    """Telegram would answer this with an error: Refused("CHANNEL_PRIVATE")."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
