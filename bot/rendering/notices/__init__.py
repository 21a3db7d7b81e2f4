"""One renderer for each type of notice, registered by that type, in a file for each subject. Pure."""

from bot.rendering.notices import chats, following, reading, reports  # noqa: F401 - each registers its renderers
from bot.rendering.notices.base import render_notice

__all__ = ["render_notice"]
