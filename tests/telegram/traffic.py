"""What left when comes in, the limits of Telegram's that it passes go out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bot.models.outgoing import Peer, PeerKind
from bot.telegram.rate_limit import ChatKey, key_of

ROUNDING = 1e-9  # s; that is no breach


def most_within(moments: Sequence[float], seconds: float) -> int:
    """Count the fullest stretch of `seconds`, its end not included; the moments are in order."""
    most = start = 0
    for end, moment in enumerate(moments):
        while moments[start] <= moment - seconds + ROUNDING:
            start += 1
        most = max(most, end - start + 1)
    return most


def breaches(gone: Iterable[tuple[float, Peer]]) -> list[tuple[object, int, float]]:
    """Return which limits were passed: of what, the messages, and the seconds within which they left."""
    total: list[float] = []
    chats: defaultdict[ChatKey, list[float]] = defaultdict(list)
    for moment, peer in gone:
        total.append(moment)
        chats[key_of(peer)].append(moment)
    limits: list[tuple[object, list[float], int, float]] = [("all", total, 30, 1.0), ("all", total, 10, 1 / 3)]
    for key, moments in chats.items():
        limits.append((key, moments, 3, 3.0))
        if key[0] is not PeerKind.USER:
            limits.append((key, moments, 20, 60.0))
    found = [(what, most_within(moments, seconds), most, seconds) for what, moments, most, seconds in limits]
    return [(what, count, seconds) for what, count, most, seconds in found if count > most]
