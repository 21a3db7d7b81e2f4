"""What goes out of the world when it says no: the code and the error string that Telegram would answer."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer here, not a malfunction
    """A verb that Telegram would refuse: Refused("CHANNEL_PRIVATE")."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
