"""Looking back: compiled queries come in, stored posts that match go out, by the rule that raises alerts.

`filters` takes a typed search apart, `scope` finds the channels it names, `looking` finds posts, `ranking` orders them.
"""

from bot.search.ranking import look_for_best
from bot.search.scope import Scope
from bot.search.searcher import Found, Hit, look, preview, search

__all__ = ["Found", "Hit", "Scope", "look", "look_for_best", "preview", "search"]
