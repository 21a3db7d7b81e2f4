"""Stored posts found by the same rule that raises alerts: typed searches, and queries tried on the archive."""

from bot.search.searcher import Hit, Scope, SearchPage, count_matches, find_best, find_current, find_newest

__all__ = ["Hit", "Scope", "SearchPage", "count_matches", "find_best", "find_current", "find_newest"]
