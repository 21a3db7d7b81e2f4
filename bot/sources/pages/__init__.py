"""Channels read from Telegram's own public web pages, without an account."""
