"""Files of declared records: what is wrong with one is said with its place, and nothing is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.access.callers import PASSWORD, write_accounts
from tests.api.steps import slugs
from tests.cli.conftest import Shell
from tests.daemons import Daemon

RECORD = """\
project_id: nightshift
slug: {slug}
name: One
host: {{hostname: {slug}.test}}
metadata:
  level: {level}
"""


@pytest.mark.parametrize("level", [".inf", "-.inf", ".nan", "1e999"])
async def test_a_number_that_json_lacks_is_named_with_its_place(
    daemon: Daemon, shell: Shell, level: str
) -> None:
    for words in (("apply", "-f", "-"), ("create", "--from", "-")):
        ended = await shell(*words, stdin=RECORD.format(slug="one", level=level))
        assert ended.code == 2
        assert "standard input:6:10: not a number that JSON has" in _flat(ended.err)
    quoted = RECORD.format(slug="one", level=f"'{level}'")
    assert (await shell("apply", "-f", "-", stdin=quoted)).code == 0


async def test_a_number_of_a_json_file_too(daemon: Daemon, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text('[{"slug": "one",\n "metadata": {"x": 1e999}}]')
    ended = await shell("apply", "-f", str(file))
    assert ended.code == 2
    assert f"{file.name}:2:20: not a number" in _flat(ended.err)


@pytest.mark.parametrize("value", ["null", "{}", "text", "7"])
async def test_environments_that_are_no_list_are_named_so(
    daemon: Daemon, shell: Shell, value: str
) -> None:
    ended = await shell("apply", "-f", "-", stdin=f"version: 1\nenvironments: {value}\n")
    assert ended.code == 2
    assert "standard input:2:15: `environments` is no list of records" in _flat(ended.err)


async def test_a_record_that_two_files_declare_is_named_by_both_places(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    assert (await shell("apply", "-f", "-", stdin=RECORD.format(slug="one", level=1))).code == 0
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("# the first\n" + RECORD.format(slug="one", level=1))
    second.write_text(RECORD.format(slug="one", level=2))
    ended = await shell("apply", "-f", str(first), "-f", str(second))
    assert ended.code == 1
    assert f"{second}:1:1: the record: declares the same record as {first}:2:1" in ended.err
    assert "/environments/0" not in ended.err


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
async def test_standard_input_that_is_not_utf_8_is_named_so(
    daemon: Daemon, shell: Shell, locale: str
) -> None:
    text = RECORD.format(slug="one", level="x").encode() + b"  more: \xe9\n"
    ended = await shell("apply", "-f", "-", stdin=text, LC_ALL=locale, PYTHONUTF8="0")
    assert ended.code == 2
    assert "standard input: not UTF-8, from line 7 on" in _flat(ended.err)
    good = RECORD.format(slug="one", level="größe").encode()
    assert (await shell("apply", "-f", "-", stdin=good, LC_ALL=locale, PYTHONUTF8="0")).code == 0
    assert await slugs(daemon) == ["one"]


async def test_a_password_that_is_not_utf_8_is_no_traceback(daemon: Daemon, shell: Shell) -> None:
    write_accounts(daemon.folders.data, "operator@x.test")
    wrong = PASSWORD.encode() + b"\xe9\n"
    ended = await shell("login", "operator@x.test", "--password-stdin", stdin=wrong)
    assert ended.code == 2
    assert "not UTF-8" in ended.err
    assert PASSWORD not in ended.err


def _flat(text: str) -> str:
    """Without the line breaks that a narrow terminal gets."""
    return " ".join(text.split())
