"""What people say to the bot, and what it answers: one declaration each for a command, a button, a setting."""
