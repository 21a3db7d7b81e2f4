"""The built-in topics as data, one TOML file each; `bot.matching.topics` reads them."""
