from tests.kit_archive import *  # noqa: F403
from tests.kit_archive import Archive as Newsroom
from tests.kit_archive import open_archive as newsroom

__all__ = ["Newsroom", "newsroom"]
