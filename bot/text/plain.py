"""The plain form of a text: the words alone, the same whichever way a post was seen. Pure.

Public pages and exports have neither the ids of media nor every kind of entity that Telegram's own messages have, so
`Post.content_hash` cannot be made of them; the hash of the plain form can, and says whether two tellings are one text.
"""

import hashlib
import re
import unicodedata

_NARROW = re.compile("[\u00a0\u2007\u202f]")  # spaces that keep words together; a page may write them for plain ones
_INVISIBLE = "\u200e\u200f"  # marks of direction, which mean nothing at the end of a line
_UNSEEN = {"Cf", "Me", "Mn"}  # categories of signs that are invisible, or written over others
_WORD = re.compile(r"\w+")
_ENDS = f" \t\x0b\x0c{_INVISIBLE}"


def plain_text(text: str) -> str:
    """Return the plain form: one kind of line break and of space, nothing invisible or blank at the ends of lines.

    Doubled spaces, emoji with their selectors and joiners, and blank lines within the text stay; nothing is normalised.
    """
    joined = _NARROW.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", ""))
    return "\n".join(line.rstrip(_ENDS) for line in joined.split("\n")).strip(f"\n{_ENDS}")


def plain_hash(text: str) -> bytes:
    """Hash the plain form of a text into 32 bytes."""
    return hashlib.sha256(b"plain1\0" + plain_text(text).encode("utf-8", "surrogatepass")).digest()


def words_hash(text: str) -> bytes | None:
    """Hash the words of a text, in whatever case and with whatever signs around and in them; None where it has none."""
    signs = unicodedata.normalize("NFKC", text).casefold()
    words = _WORD.findall("".join(sign for sign in signs if unicodedata.category(sign) not in _UNSEEN))
    return hashlib.sha256(b"words1\0" + " ".join(words).encode("utf-8", "surrogatepass")).digest() if words else None
