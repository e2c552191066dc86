"""The last line of an error is a step that helps."""

from __future__ import annotations

from pathlib import Path

from tests.access.callers import PASSWORD, write_accounts
from tests.api.steps import create
from tests.cli.conftest import Shell
from tests.daemons import Daemon

OPERATOR = "operator@x.test"


async def last_line(shell: Shell, *words: str, stdin: str = "", **environ: str) -> str:
    """The next step of a refusal."""
    ended = await shell(*words, stdin=stdin, **environ)
    assert (ended.code, ended.out) == (1, ""), words
    return ended.err.splitlines()[-1].strip()


async def test_what_is_not_found_is_looked_up_where_it_would_be(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev")
    assert "`routebook tasks --state all`" in await last_line(shell, "tasks", "show", "task-000")
    assert "`routebook history dev`" in await last_line(shell, "revert", "dev", "9999")
    dry = await last_line(shell, "revert", "dev", "9999", "--dry-run")
    assert "`routebook history dev`" in dry
    assert (await last_line(shell, "history", "nope")).startswith("`routebook history` ")
    assert "`routebook list`" in await last_line(shell, "show", "nope")


async def test_who_is_not_let_in_is_told_what_to_change(daemon: Daemon, shell: Shell) -> None:
    write_accounts(daemon.folders.data, OPERATOR)
    words = ("login", OPERATOR, "--password-stdin")
    assert await last_line(shell, *words, stdin="wrong\n") == (
        "look at the e-mail and the password, and try again"
    )
    assert (await last_line(shell, "list")).startswith("run `routebook login`")
    alone = await last_line(shell, "list", AGENT_EMAIL=OPERATOR)
    assert alone.startswith("AGENT_PASSWORD is missing")
    alone = await last_line(shell, "list", AGENT_PASSWORD=PASSWORD)
    assert alone.startswith("AGENT_EMAIL is missing")
    login = {"AGENT_EMAIL": OPERATOR, "AGENT_PASSWORD": "wrong"}
    assert "AGENT_EMAIL and AGENT_PASSWORD" in await last_line(shell, "list", **login)


async def test_a_token_that_was_sent_is_not_asked_for(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    write_accounts(daemon.folders.data, OPERATOR)
    ended = await shell("list", AGENT_TOKEN="rb_old")
    first, second = ended.err.splitlines()
    assert first == (
        "routebook: unauthenticated: the token that was sent is not known, or not any more"
    )
    assert second.strip() == "set another AGENT_TOKEN, or unset it and run `routebook login`"
    (tmp_path / "token").write_text("rb_old")
    of_file = await last_line(shell, "list", AGENT_TOKEN_FILE=str(tmp_path / "token"))
    assert of_file.startswith("set another AGENT_TOKEN_FILE")


async def test_a_login_without_a_terminal_says_how_to_give_what_it_would_ask(shell: Shell) -> None:
    for words, asked in (["login"], "E-mail"), (["login", OPERATOR], "Password"):
        ended = await shell(*words)
        assert (ended.code, ended.out) == (2, "")
        assert f"{asked}: there is no terminal to ask on" in ended.err
        assert "--password-stdin" in ended.err


async def test_a_record_that_lacks_fields_is_told_their_flags(daemon: Daemon, shell: Shell) -> None:
    nothing = await shell("create")
    assert (nothing.code, nothing.out) == (2, "")
    assert "--project, --slug, --name and --hostname" in " ".join(nothing.err.split())
    step = await last_line(shell, "create", "--slug", "dev")
    assert step == "the flags for it: --project"
    step = await last_line(shell, "create", "--project", "nightshift")
    assert step == "the flags for it: --slug, --name, --hostname"
    await create(daemon, "dev")
    step = await last_line(shell, "update", "dev", "--state", "actve")
    assert step == "the flags for it: --state"


async def test_a_catalogue_that_is_gone_is_not_to_be_mended(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev")
    (daemon.folders.data / "environments.json").unlink()
    ended = await shell("update", "dev", "--name", "other")
    assert ended.err.startswith("routebook: catalogue_unreadable: the catalogue file is gone")
    assert "mend" not in ended.err
