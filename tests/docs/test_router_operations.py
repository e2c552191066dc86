"""docs/router_operations.md works as written, from the first command to the last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.daemons import ROOT, eventually
from tests.docs.checkout import Checkout, checkout
from tests.docs.page_blocks import Block, blocks_of, lines_not_in

PAGE = (ROOT / "docs" / "router_operations.md").read_text()
RUN = {"bash", "console"}
_SEEN_S = 30.0
READ = {"", "yaml", "ini", "dns", "json"}
WRITES = re.compile(
    r"^(routebook (create|update|revert|delete|smoke|certs (issue|trust))|openssl|install|rm) ",
    re.MULTILINE,
)


@pytest.mark.traefik
@pytest.mark.xdist_group("router-operations")
@pytest.mark.timeout(180)
async def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    async with checkout(tmp_path, PAGE) as place:
        for block in place.blocks:
            if block.language == "dns":
                make_records(place, block)
            elif block.language == "console":
                await refused(place, block)
            elif block.language == "bash":
                await done(place, block)


async def done(place: Checkout, block: Block) -> None:
    """It ends with 0 and prints what is shown. What only looks may be asked again for a while."""

    async def check() -> None:
        code, output = await place.run(block.text)
        where = f"line {block.line}: {block.text}\n{output}"
        assert code == 0, where
        assert lines_not_in(output, block.shown) == [], where

    await (check() if WRITES.search(block.text) else eventually(check, _SEEN_S))


async def refused(place: Checkout, block: Block) -> None:
    """It ends with 1 and says why."""
    code, output = await place.run(block.text)
    assert code == 1, f"line {block.line}: {output}"
    assert lines_not_in(output, block.shown) == [], f"line {block.line}: {output}"


def make_records(place: Checkout, block: Block) -> None:
    """What somebody does in a zone of theirs."""
    for line in block.text.splitlines():
        name, kind, target = line.split()
        records = target.rstrip(".") if kind == "CNAME" else [target]
        place.names.zone[name.rstrip(".")] = records


def test_a_block_of_an_unknown_language_does_not_slip_through() -> None:
    assert {block.language for block in blocks_of(PAGE, str)} <= RUN | READ


def test_no_command_asks_for_root() -> None:
    scripts = [block.text for block in blocks_of(PAGE, str) if block.language in RUN]
    assert not [each for each in scripts if re.search(r"\b(sudo|systemctl|chown)\b", each)]


def test_a_command_in_a_sentence_has_a_verb_and_flags_that_exist() -> None:
    program = (ROOT / "docs" / "cli.md").read_text()
    commands = re.findall(r"`routebook ([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    assert len(commands) > 20
    for command in commands:
        verb = re.match(r"(certs|tasks) [a-z]+|[a-z-]+", command)
        assert verb is not None
        about = program.split(f"# `routebook {verb[0]}`\n")[1].split("\n##")[0]
        flags = re.findall(r" (--?[a-z-]+)", command)
        assert [flag for flag in flags if not re.search(rf"[`, ]{flag}\b", about)] == [], command


def test_an_output_is_compared_but_for_ids_times_and_spaces() -> None:
    output = "task-07cdd58a4536  high  a.test\nsince  2026-11-24T12:41:23.949Z\n"
    assert lines_not_in(output, "task-aaaaaaaaaaaa high … a.test\nsince 2020-01-01") == []
    assert lines_not_in(output, "a.test\na.test") == ["a.test"]
    assert lines_not_in(output, "high b.test\na.test … high") == ["high b.test", "a.test … high"]
