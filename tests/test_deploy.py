"""What runs for good, by systemd or in a container, holds to the program; pages agree in both languages, and link."""

import re
import shutil
import subprocess
import sys
import tomllib
from configparser import RawConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "channelwatch.service"


def unit() -> dict[str, str]:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as systemd reads it
    parser.read(UNIT, encoding="utf-8")
    return dict(parser["Service"])


def test_the_unit_runs_what_make_sets_up_and_may_write_there() -> None:
    service, root = unit(), Path("/opt/channelwatch")
    assert service["ExecStart"] == f"{root}/.venv/bin/channelwatch run"
    assert service["WorkingDirectory"] == service["ReadWritePaths"] == str(root)
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")  # 2: wrong settings


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8")), "utf-8")
    found = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (found.returncode, found.stderr) == (0, "")


def test_the_compose_file_fits_the_image() -> None:
    compose, image = (ROOT / "compose.yaml").read_text("utf-8"), (ROOT / "Dockerfile").read_text("utf-8")
    (volume,) = re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE)
    assert f"- data:{volume}\n" in compose
    assert f"DATA_DIR: {volume} #" in compose
    assert f"DATA_DIR={volume} " in image
    assert "HEALTHCHECK" in image  # the compose file leaves that and the user to the image
    assert not re.search(r"\b(healthcheck|user|command):", compose)


def test_the_image_tries_what_is_there() -> None:
    (script,) = re.findall(
        r'^RUN python -c "(.+?)"$', (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    subprocess.run([sys.executable, "-c", script.replace("\\\n", "")], cwd=ROOT, check=True)  # noqa: S603 - our own


def test_an_installed_program_has_every_file_that_lies_beside_its_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    beside = {file for file in (ROOT / "bot").rglob("*.*") if file.suffix not in {".py", ".pyc", ".md"}}
    installed = {file for file in beside for pattern in patterns if file.match(pattern)}
    assert {file.suffix for file in beside} >= {".html", ".typ", ".sql"}
    assert beside - installed == set()


def outline(name: str) -> tuple[list[str], list[str], list[int]]:
    """Return the levels of the headings of a page, its blocks of code without comments, and the rows of each table."""
    page = (ROOT / name).read_text("utf-8")
    blocks = re.findall(r"^```.*?^```", page, re.MULTILINE | re.DOTALL)
    words = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    tables = [table.count("\n") for table in re.findall(r"(?:^\|.*\n)+", words, re.MULTILINE)]
    return re.findall(r"^#+", words, re.MULTILINE), [re.sub(r" +#.*", "", block) for block in blocks], tables


RUSSIAN = sorted(str(page.relative_to(ROOT)) for page in [ROOT / "README.ru.md", *(ROOT / "docs").glob("*.ru.md")])


@pytest.mark.parametrize("russian", RUSSIAN)
def test_both_languages_have_the_same_sections_commands_and_tables(russian: str) -> None:
    english = russian.replace(".ru.md", ".md")
    assert outline(russian) == outline(english)
    for name, other in ((english, russian), (russian, english)):
        assert f"]({Path(other).name})" in (ROOT / name).read_text("utf-8")[:80]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    titles = re.findall(r"^#+ (.*)", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_links_between_pages_lead_somewhere() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "bot/topics/README.md",
        ROOT / "tests/data/README.md",
    ]
    broken = []
    for page in pages:
        for path, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
            there = page.parent / path if path else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(ROOT)}: {path}#{anchor}")
    assert broken == []
