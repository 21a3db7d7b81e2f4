"""The commands, buttons and settings of the bot, one declaration each, and the router that answers updates."""
