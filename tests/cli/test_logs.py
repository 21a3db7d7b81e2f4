import asyncio
import sys
from pathlib import Path

from bot.store.database import Database
from tests.shell import typed

ROOT = Path(__file__).parents[2]
ASKING = """
import asyncio
import logging
import sys
from pathlib import Path

from bot.cli.logs import configure_logs
from bot.store.database import Database


async def ask() -> None:
    database = await Database.open(Path(sys.argv[1]))
    await database.fetch_all("SELECT :word", {"word": "hunter2"})
    await database.close()


configure_logs(level="DEBUG")
logging.getLogger("bot").debug("the log works")
logging.getLogger("pymorphy3.opencorpora_dict.wrapper").info("of each dictionary that is loaded")
logging.getLogger("telethon.network.connection.connection").warning("of each connection that ends")
asyncio.run(ask())
"""


async def test_even_a_talkative_log_keeps_what_is_asked_of_the_store_to_itself_and_no_line_for_each_connection(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASKING, str(tmp_path / "bot.db")),
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"the log works" in err
    assert b"hunter2" not in err
    assert b"of each connection" not in err
    assert b"of each dictionary" not in err


async def test_what_a_command_was_asked_for_stands_alone_on_standard_output(tmp_path: Path) -> None:
    await (await Database.open(tmp_path / "bot.db")).close()
    (tmp_path / "bot.db").chmod(0o644)
    _, out, err = await typed(tmp_path, "invite")
    assert "others could read this file" in err
    assert len(out.splitlines()) == 1
