"""Long posts, of which Telegram pushes the beginning, through the whole service."""

from pathlib import Path

from tests.end_to_end.test_changes import reading
from tests.kit_rich import rich
from tests.kit_service import link_of

LONG = ("Сводка за день", "О погоде и о планах на завтра.", "Сайт Заречье Банка недоступен: массовый сбой.")


async def test_a_word_in_the_part_that_is_not_pushed_alerts(tmp_path: Path) -> None:
    async with reading(tmp_path) as (_, owner, (channel,)):
        post = channel.post(rich=rich(*LONG), shown=1)
        alert = await owner.alert("недоступен")
        assert link_of(alert) == f"https://t.me/agency/{post.id}"
        assert "Сводка за день" in alert.message
        channel.edit(post.id, rich=rich(*LONG[:2], "Сайт Заречье Банка снова работает после сбоя."))
        edited = await owner.edit("снова работает")
        assert edited.id == alert.id
        reply = await owner.reply("снова работает")
        assert reply.message.splitlines()[-1] == f"before: {LONG[2]}"
