"""The talk with people: what they write to the bot or tap comes in, what the bot says to them goes out."""
