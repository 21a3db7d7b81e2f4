"""The log of a command: lines on standard error, since standard output is for what was asked for."""

import logging
import sys

import structlog

LEVELS = {  # of what libraries may log
    "telethon": logging.WARNING,  # it tells of every unknown update; what matters of that arrives as a warning
    # It warns of each connection that ends or fails, a line a second, which bot.telegram.backoff says once a minute …
    "telethon.network": logging.ERROR,
    "telethon.client.users": logging.ERROR,  # … and of each request at which the server fails; whoever asked says so
    "pymorphy3": logging.WARNING,  # it tells of each dictionary that it loads
    # What brings messages to targets names their addresses in what it logs, and those are secrets.
    "apprise": logging.CRITICAL + 1,
    "urllib3": logging.CRITICAL,
    "requests": logging.CRITICAL,
    "aiohttp": logging.CRITICAL,
    "aiosqlite": logging.WARNING,  # else each question with its values: names, searches and keys are nothing for a log
}


def quiet_libraries() -> None:
    """Keep out of the log what libraries say that is of no use to anybody, or nobody's business."""
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)


def configure_logs(*, level: str = "WARNING", how: str = "console") -> None:
    """Send the logs of this program and of its libraries to standard error, as lines for people or as `json`."""
    quiet_libraries()
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if how == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
