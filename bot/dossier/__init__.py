"""Stored posts for people and tools outside: what a case becomes, and tables, one row a message or version."""
