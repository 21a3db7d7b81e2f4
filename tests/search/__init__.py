"""TODO: this room in a sentence."""
