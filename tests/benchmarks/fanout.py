"""Row: one post goes to 1,000 chats, from its push until all answers are committed, beside a loop of raw requests.

The loop is the strictest there is, all requests at once through one Telethon client: awaited one by one they take
longer, since each waits for the server. Both send the same messages, and so get the same answers to read: text, what is
bold in it, buttons. Ours also receives, stores and matches the post, writes an alert for each chat, keeps their order,
and commits what became of each. Pacing is off.
"""

from pathlib import Path

from tests.benchmarks.figures import Goal, Row, Run, in_turn, rate_row
from tests.benchmarks.processes import Archive, Process, World, world

GOAL = Goal(limit=0.65, at_most=False)
CHATS = 1000


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Each round is a post of its own; what the chats are told of it is what the loop sends then."""
    with world(folder) as place:
        people = ",".join(map(str, place.stage.order("gather", count=CHATS)))
        facts = place.stage.facts["sides"]
        with place.service(OWNER_IDS=people) as service, place.bare("fanout", facts["bare"]["token"], people) as loop:
            archive = place.archive()
            archive.wait_until_followed(len(facts["ours"]["channels"]))
            place.stage.order("begin")
            archive.wait_until_paired(CHATS)
            ours, bare = in_turn(
                lambda: _ours(place, service, archive),
                lambda: _bare(place, loop),
                rounds=9 if full else 5,
            )
            archive.close()
    return [rate_row(f"one post → {CHATS:,} chats", ours, bare, goal=GOAL)]


def _ours(place: World, service: Process, archive: Archive) -> Run:
    before = archive.latest()
    with place.measured(service, CHATS) as run:
        place.stage.order("fan_out")
        archive.wait_until_sent(CHATS, after=before)
    return run[0]


def _bare(place: World, loop: Process) -> Run:
    request = place.stage.order("told")
    with place.measured(loop, CHATS) as run:
        loop.write(request)
        loop.read()
    return run[0]
