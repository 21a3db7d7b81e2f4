"""Values become messages, pure; shared by delivery and commands."""
