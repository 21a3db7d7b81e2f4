"""The plain form of a text: what a web page and Telegram itself show alike, in which the two can be compared. Pure.

A page lacks ids of media and kinds of formatting, so that the hash of all that a reader sees cannot be had from it.
"""

import hashlib

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\ufeff": None, "\r": "\n"})
_MARKS = " \t\u200e\u200f"  # that no reader sees at the end of a line


def plain_form(text: str) -> str:
    """Return a text with one kind of space and of line break, and nothing invisible at the ends of its lines."""
    lines = text.replace("\r\n", "\n").translate(_SPACES).split("\n")
    return "\n".join(line.rstrip(_MARKS) for line in lines).strip()


def plain_hash(text: str) -> bytes:
    """Hash the plain form of a text into 32 bytes, which no hash of all that a reader sees equals."""
    return hashlib.sha256(b"plain1\0" + plain_form(text).encode("utf-8", "surrogatepass")).digest()
