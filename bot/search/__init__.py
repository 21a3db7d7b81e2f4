"""Stored posts found by the queries that raise alerts: typed searches, and backtests on the archive."""

from bot.search.searcher import Hit, Scope, SearchPage, count_matches, find_best, find_newest

__all__ = ["Hit", "Scope", "SearchPage", "count_matches", "find_best", "find_newest"]
