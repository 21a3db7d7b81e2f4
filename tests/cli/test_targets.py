"""Targets on the command line: an address comes in by standard input, and out nowhere."""

from pathlib import Path

from bot.store import chats, targets
from tests.cli.test_cli import typed
from tests.kit_archive import open_archive
from tests.targets.receivers import receiver


async def test_a_target_is_added_tried_and_removed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_archive(tmp_path) as archive, receiver() as service:
        await archive.pair()
        address = f"webhook+{service.url}/tk-topsecret\n".encode()
        code, out, err = await typed(data, "targets", "add", "Duty", "-", given=address)
        assert (code, out[:6]) == (0, "whsec_")
        said = err
        code, out, err = await typed(data, "targets", "test")
        assert (code, out, err) == (0, "Duty: taken\n", "")
        assert [each.path for each in service.taken] == ["/tk-topsecret"]
        code, out, err = await typed(data, "targets")
        assert (code, out) == (0, "Duty  webhook  on  never  0  0\n")
        said += out + err
        code, out, err = await typed(data, "targets", "fallback", "duty")
        assert (code, out) == (0, "Set for 1 of 1 chats.\n")
        (chat,) = [each for each in await chats.everyone(archive.db) if not each.is_target]
        fallback = await targets.fallback_of(archive.db, chat.id)
        assert fallback is not None
        assert fallback.title == "Duty"
        for words, given, mistake in (
            (("add", "X", "ntfy://tk-topsecret"), b"", "never write an address here"),
            (("add", "DUTY", "-"), address, "already"),
            (("add", "X", "-"), b"none://tk-topsecret", "Apprise cannot read that"),
            (("test", "X"), b"", "there is no target «X»"),
        ):
            code, out, err = await typed(data, "targets", *words, given=given)
            assert code != 0
            assert mistake in err
            said += out + err
        code, out, err = await typed(data, "targets", "remove", "duty")
        assert (code, out) == (0, "Removed Duty.\n")
        assert await targets.everyone(archive.db, archive.now) == []
    assert "topsecret" not in said + out + err
