"""Websites as channels: the entries of their RSS and Atom feeds are posts. It knows nothing of Telegram."""
