"""The door to Telethon: foreign shapes come in, values of ours go out, and back."""
