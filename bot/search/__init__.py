"""Stored posts found by the queries that raise alerts: typed searches, and backtests on the archive."""
