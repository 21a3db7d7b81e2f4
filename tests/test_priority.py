"""How an export gives way to the service, and that its terminal is as before."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell import ROOT

SESSION = Path("/proc/self/autogroup")
EXPORT = """
import os
from pathlib import Path
from bot.runtime.priority import give_way_from_outside

def shown():
    print(os.nice(0), Path("/proc/self/autogroup").read_text().split()[-1], flush=True)

child = os.fork()
if not child:
    give_way_from_outside()
    shown()
    raise SystemExit
os.waitpid(child, 0)
shown()
"""


@pytest.mark.skipif(not SESSION.exists(), reason="this system does not share the processor among sessions")
def test_an_export_gives_way_over_sessions_and_leaves_the_terminal_as_it_was() -> None:
    asked = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", EXPORT], cwd=ROOT, capture_output=True, text=True, check=True, start_new_session=True
    )
    during, after = asked.stdout.split("\n")[:2]
    assert during == "19 19"
    assert after.split()[1] == "0"
