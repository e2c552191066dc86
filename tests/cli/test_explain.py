"""`routebook explain`, as a process against a running daemon."""

from __future__ import annotations

from tests.api.bodies import routed
from tests.api.steps import create, until_routed
from tests.cli.conftest import Shell
from tests.daemons import Daemon


async def test_the_first_line_says_who_answers_then_what_happens_then_the_others(
    daemon: Daemon, shell: Shell
) -> None:
    made = await create(daemon, "dev", **routed("a.test", path_prefix="/app", middlewares=["auth"]))
    await create(daemon, "wild", **routed("*.test"))
    await until_routed(daemon, "a.test", "a.test")
    ended = await shell("explain", "https://a.test/app/x?q=1")
    assert (ended.code, ended.err) == (0, "")
    first, *rest = ended.out.splitlines()
    assert first == (
        f"dev ({made['environment_id']}) answers https://a.test/app/x?q=1 on websecure"
    )
    facts, candidates = "\n".join(rest).split("\n\ncandidates\n")
    for line in ("takes off     /app", "is asked for  /x?q=1", "middlewares   auth@file"):
        assert line in facts
    head, *rows = candidates.splitlines()
    assert head.split() == ["CANDIDATE", "ENTRYPOINT", "REASON", "MESSAGE"]
    assert [row.split()[:3] for row in rows] == [
        ["dev", "websecure", "answers"],
        ["wild", "websecure", "host_kind"],
    ]


async def test_nobody_is_said_too_and_each_other_entrypoint_has_a_line(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev", **routed("a.test", path_prefix="/app", entrypoints=["web"]))
    made = await create(daemon, "two", **routed("a.test", entrypoints=["web2"]))
    await until_routed(daemon, "a.test")
    assert (await shell("explain", "https://a.test/")).out.startswith(
        "nobody answers https://a.test/"
    )
    first, second, *_ = (await shell("explain", "http://a.test/app")).out.splitlines()
    assert first.startswith("dev (")
    assert second == f"two ({made['environment_id']}) answers on web2"
    narrowed = await shell("explain", "http://a.test/app", "--entrypoint", "web2")
    assert narrowed.out.startswith("two (")


async def test_json_is_what_the_api_says(daemon: Daemon, shell: Shell) -> None:
    ended = await shell("explain", "https://a.test/ä%2F", "--json")
    assert ended.value["url"] == "https://a.test/%C3%A4%2F"
    assert ended.value["answer"] is None


async def test_a_probe_has_a_table_of_its_own(daemon: Daemon, shell: Shell) -> None:
    ended = await shell("explain", "https://a.test/", "--probe")
    assert "no Traefik is known" in ended.out.split("\nprobe\n")[1]


async def test_a_wrong_url_is_refused_with_the_reason(daemon: Daemon, shell: Shell) -> None:
    ended = await shell("explain", "a.test")
    assert (ended.code, ended.out) == (1, "")
    assert "/url" in ended.err
    assert "https://app.test/path" in ended.err
    assert ended.err.splitlines()[-1] == "  did you mean https://a.test?"
    assert "mean" not in (await shell("explain", "ftp://a.test")).err
