"""The page on the signed webhook: what it says of the fields, and its two ways to verify a request, hold."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bot.models.outgoing import Outgoing
from bot.models.targets import TargetMessage
from bot.targets.address import key_of, new_secret
from bot.targets.webhook import body_of, headers_of
from tests.kit_clock import NOON
from tests.rendering.values import stored
from tests.shell import ROOT

PAGE = (ROOT / "docs" / "webhook.md").read_text("utf-8")
BODY = '{"text": "Сбой"}'.encode()


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_it_names_each_field_and_no_other() -> None:
    message = TargetMessage(id="x", created_at=stored().date, outgoing=Outgoing(text="x"), post=stored())
    body: dict[str, Any] = body_of(message)
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", PAGE, re.MULTILINE)
    named = [name.strip("`") for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted([*body, *body["post"]])


@pytest.mark.parametrize(("how", "fields"), [("live", (NOON.isoformat(), None)), ("sweep", (None, NOON.isoformat()))])
def test_a_deletion_that_was_told_is_one_thing_and_a_missing_post_another(
    how: str, fields: tuple[str | None, str | None]
) -> None:
    post = stored(gone_at=NOON, gone_by=how)
    body: dict[str, Any] = body_of(TargetMessage(id="x", created_at=NOON, outgoing=Outgoing(text="x"), post=post))[
        "post"
    ]
    assert (body["deletion_told_at"], body["missing_since"]) == fields


@pytest.mark.parametrize("tampered", [False, True])
def test_its_python_tells_a_genuine_request(*, tampered: bool) -> None:
    secret, names = new_secret(), dict[str, Any]()
    headers = headers_of("k3f92m7q4x", BODY, key=key_of(secret), timestamp=int(time.time()))
    exec(example("python"), names)  # noqa: S102 - our own page
    assert names["is_genuine"](secret, headers, BODY + b" " * tampered) is not tampered


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
@pytest.mark.parametrize("tampered", [False, True])
def test_its_shell_tells_a_genuine_request(tmp_path: Path, *, tampered: bool) -> None:
    secret = new_secret()
    headers = headers_of("k3f92m7q4x", BODY, key=key_of(secret), timestamp=1700000000)
    (tmp_path / "body.json").write_bytes(BODY + b" " * tampered)
    given = {"SECRET": secret, "ID": headers["webhook-id"], "TIMESTAMP": headers["webhook-timestamp"]}
    done = subprocess.run(  # noqa: S603 - our own page
        ["/bin/sh", "-c", example("sh")],
        cwd=tmp_path,
        env=os.environ | given | {"SIGNATURE": headers["webhook-signature"]},
        capture_output=True,
        check=False,
    )
    assert (b"genuine" in done.stdout) is not tampered
