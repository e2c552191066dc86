"""The verbs that read, as processes against a running daemon."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import sys
from pathlib import Path

from tests.access.callers import PASSWORD, book_of, write_accounts
from tests.api.bodies import routed
from tests.api.steps import create, until_routed
from tests.cli.conftest import Shell
from tests.daemons import ROOT, Daemon


async def test_list_is_a_table_with_a_line_an_environment(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "one")
    await create(daemon, "two", lifecycle={"state": "active"})
    ended = await shell("list")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["SLUG", "PROJECT", "STATE", "LIVE", "HEALTH", "HOST", "OWNER"]
    assert [row.split()[:3] for row in rows] == [
        ["one", "nightshift", "planned"],
        ["two", "nightshift", "active"],
    ]


async def test_list_filters_as_the_api_does(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "one")
    await create(daemon, "two", lifecycle={"state": "active"}, project_id="storefront")
    for words, slug in (
        (["--state", "active"], "two"),
        (["--project", "nightshift"], "one"),
        (["--q", "tw"], "two"),
        (["--owner", "mika@storefront.test"], "two"),
    ):
        ended = await shell("list", "--json", *words)
        assert [each["slug"] for each in ended.value["environments"]] == [slug], words


async def test_list_says_how_to_get_the_rest(daemon: Daemon, shell: Shell) -> None:
    for slug in ("one", "two", "three"):
        await create(daemon, slug)
    ended = await shell("list", "--limit", "2")
    assert "2 of 3" in ended.err
    rest = await shell("list", "--cursor", ended.err.split()[-1])
    assert [row.split()[0] for row in rest.out.splitlines()[1:]] == ["three"]


async def test_show_has_the_record_the_contacts_and_the_routes(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    ended = await shell("show", "dev")
    assert ended.code == 0
    for text in ("host.hostname", "dev.test", "ines@nightshift.test", "websecure", "published"):
        assert text in ended.out
    shown = (await shell("show", "dev", "--json")).value
    assert shown["project"]["id"] == "nightshift"
    assert [route["host"] for route in shown["routes"]] == ["dev.test"]


async def test_routes_say_who_holds_each(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", **routed("a.test", "*.b.test"))
    await until_routed(daemon, "a.test")
    ended = await shell("routes", "--json")
    assert [(r["host"], r["environment"], r["state"]) for r in ended.value["routes"]] == [
        ("*.b.test", (await shell("show", "dev", "--json")).value["environment_id"], "published"),
        ("a.test", ended.value["routes"][0]["environment"], "published"),
    ]
    assert (await shell("routes", "dev", "--state", "lost", "--json")).value["routes"] == []


async def test_what_finds_nothing_says_so_in_words(daemon: Daemon, shell: Shell) -> None:
    assert (await shell("list")).out == "there is no environment\n"
    assert (await shell("routes")).out == "nothing is routed\n"
    await create(daemon, "dev")
    for words, said in (
        (["list", "--q", "other"], "no environment matches"),
        (["routes", "--state", "lost"], "no route matches"),
        (["history", "--since", "99"], "no change after revision 99"),
    ):
        ended = await shell(*words)
        assert (ended.code, ended.out, ended.err) == (0, f"{said}\n", ""), words
    assert (await shell("list", "--q", "other", "--json")).value["environments"] == []


async def test_history_names_actor_and_fields(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev")
    await shell("update", "dev", "--description", "new")
    rows = (await shell("history", "dev", "--json")).value["history"]
    assert [row["action"] for row in rows] == ["updated", "created"]
    assert "/description" in (await shell("history", "dev")).out
    assert len((await shell("history", "--json")).value["history"]) == 2


async def test_export_is_taken_back_unchanged_in_both_forms(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", description="no", **routed("dev.test"))
    await create(daemon, "two", metadata={"when": "2026-11-23T09:30:00Z", "ports": "22:22"})
    for form in ("yaml", "json"):
        exported = await shell("export", "--format", form)
        assert exported.code == 0
        again = await shell("apply", "-f", "-", "--json", stdin=exported.out)
        assert again.value["unchanged"] == 2, again


async def test_an_error_is_two_lines_that_say_the_next_step(shell: Shell) -> None:
    ended = await shell("show", "nobody")
    assert (ended.code, ended.out) == (1, "")
    first, second = ended.err.splitlines()
    assert first.startswith("routebook: not_found: ")
    assert "routebook list" in second


async def test_nobody_at_the_address_is_exit_code_3(shell: Shell) -> None:
    for words in (["list"], ["show", "x"], ["apply", "-f", "-"], ["whoami", "--json"]):
        ended = await shell(*words, stdin="[]", AGENT_API_URL="http://127.0.0.1:9")
        assert (ended.code, ended.out) == (3, ""), words
        assert "AGENT_API_URL" in ended.err


async def test_an_address_that_is_none_is_wrong_usage_and_not_quoted(shell: Shell) -> None:
    for url in ("127.0.0.1:8700", "http://[", "ftp://a", "http://user:sekret@127.0.0.1:8700"):
        ended = await shell("list", AGENT_API_URL=url)
        assert (ended.code, ended.out) == (2, ""), url
        assert "AGENT_API_URL" in ended.err
        assert "sekret" not in ended.err


async def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    for words in (["list", "--no-such"], ["show"], ["update", "dev"], ["apply"], ["nothing"]):
        assert (await shell(*words)).code == 2, words


async def test_a_wrong_token_is_told_to_log_in(daemon: Daemon, shell: Shell) -> None:
    write_accounts(daemon.folders.data, "operator@x.test")
    ended = await shell("list", AGENT_TOKEN="wrong")
    assert ended.code == 1
    assert "routebook login" in ended.err


async def test_text_of_a_record_cannot_steer_a_terminal(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", description="\u001b]0;owned\u0007 \u202eabc")
    ended = await shell("show", "dev")
    assert "\\x1b]0;owned\\x07" in ended.out
    assert not {"\u001b", "\u0007", "\u202e"} & set(ended.out)


async def test_login_stores_a_token_for_this_url_alone(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    write_accounts(daemon.folders.data, "operator@x.test")
    ended = await shell("login", "operator@x.test", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert ended.code == 0, ended.err
    assert PASSWORD not in ended.out + ended.err
    me = (await shell("whoami", "--json")).value
    assert (me["actor"], me["role"]) == ("operator@x.test", "operator")
    stored = tmp_path / "config" / "routebook" / "sessions.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert list(json.loads(stored.read_text())) == [f"http://127.0.0.1:{daemon.port}"]
    assert (await shell("logout")).code == 0
    assert (await shell("whoami")).code == 1
    assert book_of(daemon.folders.data).tokens() == []


async def test_a_login_by_variables_leaves_no_token_behind(daemon: Daemon, shell: Shell) -> None:
    write_accounts(daemon.folders.data, "operator@x.test")
    login = {"AGENT_EMAIL": "operator@x.test", "AGENT_PASSWORD": PASSWORD}
    assert (await shell("whoami", "--json", **login)).value["role"] == "operator"
    assert book_of(daemon.folders.data).tokens() == []


async def test_a_table_fits_a_terminal_of_60_columns(daemon: Daemon) -> None:
    await create(daemon, "a-slug-that-is-much-longer-than-others", name="x" * 50)
    plain, shown = await _on_a_terminal(daemon, "list")
    assert plain[0].startswith("SLUG")
    assert "\u001b[" in shown  # colour, since this is a terminal


async def test_no_column_is_left_out_on_a_terminal_of_60_columns(daemon: Daemon) -> None:
    """What has no room goes below its row, and what has to be typed is whole."""
    slug, host = "a-slug-that-is-much-longer-than-others", "a-host-that-is-long.nightshift.test"
    await create(daemon, slug, **routed(host, f"another-{host}"))
    plain, _ = await _on_a_terminal(daemon, "history")
    assert plain[0].split() == ["REVISION", "ENVIRONMENT_ID"]
    assert re.fullmatch(rf"1 +env-{slug}-[0-9a-f]{{6}}", plain[1])
    assert [line.split()[0] for line in plain[2:]] == ["at:", "actor:", "source:", "action:"]
    assert plain[-1] == "  action: created"
    plain, _ = await _on_a_terminal(daemon, "routes")
    assert plain[0].split() == ["HOST", "SLUG", "HOLDER"]
    assert re.fullmatch(rf"a-h\S*…  {slug}  -", plain[1])
    assert plain[2:5] == ["  path_prefix: /", "  entrypoint: websecure", "  state: published"]


async def test_an_empty_ref_is_no_wish_for_the_history_of_all(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev")
    ended = await shell("history", "")
    assert (ended.code, ended.out) == (2, "")
    assert "REF is empty" in ended.err
    assert "created" in (await shell("history")).out


async def _on_a_terminal(daemon: Daemon, *words: str) -> tuple[list[str], str]:
    """The lines that a verb shows on 60 columns, without colour; and all of it as it is."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "60"}
    environ["AGENT_API_URL"] = f"http://127.0.0.1:{daemon.port}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider", *words), cwd=ROOT, env=environ, stdout=theirs
    )
    assert await process.wait() == 0
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        shown = terminal.read(10_000).decode()
    plain = [_without_colour(line) for line in shown.splitlines()]
    assert max(map(len, plain)) <= 60
    return plain, shown


async def test_a_pipe_that_closes_early_is_no_traceback(daemon: Daemon) -> None:
    for number in range(30):
        await create(daemon, f"dev-{number}")
    environ = {**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"}
    for verb in ("list", "export", "list --json"):
        process = await asyncio.create_subprocess_shell(
            f"'{sys.executable}' -m provider {verb} | head -n 1",
            cwd=ROOT,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert out.count(b"\n") == 1
        assert err == b"", verb


def _without_colour(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)
