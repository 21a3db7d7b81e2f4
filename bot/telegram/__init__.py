"""The only door to Telethon: foreign shapes become values of ours, and back."""
