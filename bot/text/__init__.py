"""Formatted text in Telegram's UTF-16 units, pure: markup, nesting of entities, excerpts."""
