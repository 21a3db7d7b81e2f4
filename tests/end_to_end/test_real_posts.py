import json
from pathlib import Path

import pytest

from bot.matching.engine.compiled import compile_query
from bot.matching.engine.matcher import Matcher
from bot.matching.query.parser import parse
from bot.matching.topics import builtin_topics
from bot.matching.words.inflection import Inflector
from bot.matching.words.tokens import analyse
from bot.store import posts
from tests.kit_service import link_of, running_service

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts.jsonl"
COUNT = 1000


@pytest.mark.skipif(not REAL_POSTS.exists(), reason=f"the real posts are not here: {REAL_POSTS}")
async def test_real_posts_are_stored_to_the_letter_and_alerted_as_match_says(tmp_path: Path) -> None:
    lines = REAL_POSTS.read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines[:: len(lines) // COUNT][:COUNT]]
    inflector = Inflector()
    matcher = Matcher({t.name: compile_query(parse(t.query), inflector) for t in builtin_topics() if t.default})
    async with running_service(tmp_path, builtin=True) as service:
        channel = service.sandbox.world.add_channel("Agency", username="agency", members=[service.reader])
        owner = await service.owner(follows=[channel])
        await owner.asks("/storms off")
        ids = {channel.post(text).id: text for text in texts}
        due = {f"https://t.me/agency/{number}" for number, text in ids.items() if matcher.match(analyse(text))}
        last = channel.post("Массовый сбой: сайт не работает. Это последнее сообщение.")
        await owner.alert("последнее сообщение")
        await owner.count(len(due) + 1)  # what was read from the history may come after the last push
        assert {link_of(alert) for alert in owner.alerts} == due | {f"https://t.me/agency/{last.id}"}
        assert len(owner.alerts) == len(due) + 1
        async with service.archive() as db:
            stored = await posts.current(db, channel.id, ids)
        assert {post.message_id: post.text for post in stored} == ids
