import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASKING = """
import asyncio
import logging
import sys
from pathlib import Path

from bot.cli import quiet_libraries
from bot.cli.service import configure_logs
from bot.settings import load_settings
from bot.store.database import Database


async def ask() -> None:
    database = await Database.open(Path(sys.argv[1]))
    await database.fetch_all("SELECT :word", {"word": "hunter2"})
    await database.close()


quiet_libraries()
configure_logs(load_settings())
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
        env={**os.environ, "LOG_LEVEL": "DEBUG"},
    )
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"the log works" in err
    assert b"hunter2" not in err
    assert b"of each connection" not in err
    assert b"of each dictionary" not in err
