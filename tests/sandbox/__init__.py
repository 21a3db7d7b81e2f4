"""Tests of the embedded Telegram server."""
