"""The locks say what `pyproject.toml` asks for, with a hash of each file, and the same everywhere."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;]+)(?P<rest>.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_HASH = "--hash=sha256:"


def pins(lock: str) -> dict[str, str]:
    """Return the version of each package of a lock; fails for one without a hash."""
    content = (ROOT / lock).read_text(encoding="utf-8")
    found = list(_PIN.finditer(content))
    assert [pin["name"] for pin in found if _HASH not in pin["rest"]] == []
    lines = [line for line in content.splitlines() if line and not line.startswith(("#", " ", "\t"))]
    assert len(lines) == len(found), "a line that is no pin"
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found}


def group(name: str) -> list[str]:
    listed = PROJECT["dependency-groups"][name]
    return [each for item in listed for each in ([item] if isinstance(item, str) else group(item["include-group"]))]


RUN = PROJECT["project"]["dependencies"]
EXTRAS = {f"{name}.lock": asked for name, asked in PROJECT["project"]["optional-dependencies"].items()}
LOCKS = {
    "requirements.lock": RUN,
    **EXTRAS,
    "requirements-dev.lock": [*RUN, *chain.from_iterable(EXTRAS.values()), *group("dev")],
    "build.lock": PROJECT["build-system"]["requires"],
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_is_asked_for_and_a_hash_for_each(lock: str) -> None:
    found = pins(lock)
    for line in LOCKS[lock]:
        asked = Requirement(line)
        assert asked.specifier.contains(found[canonicalize_name(asked.name)], prereleases=True), line


def test_what_is_developed_with_is_what_runs() -> None:
    developed = pins("requirements-dev.lock")
    for lock in ("requirements.lock", *EXTRAS):
        assert pins(lock).items() <= developed.items()


def test_nothing_under_another_licence_is_installed_unasked() -> None:
    assert set(pins("ukrainian.lock")) == {"pymorphy3-dicts-uk"}
    assert not {"pymorphy3-dicts-uk", "opentimestamps", "python-bitcoinlib"} & set(pins("requirements.lock"))


def test_the_image_sees_every_file_that_it_copies_by_name() -> None:
    copied = [
        line.split()[1:-1] for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:5] == "COPY "
    ]
    names = {name for each in copied for name in each if name != "." and not name.startswith(("--", "/"))}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert {"build.lock", "ukrainian.lock"} <= names <= let_in
