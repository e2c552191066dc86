"""How a table is fitted to a terminal."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from registry.cli.tables import table
from registry.cli.terminal import sheet

TASK = "task-07cdd58a1b2c"
WORDS = "Set ROUTEBOOK_TRAEFIK_API of the daemon to the address of the API of Traefik, and restart"


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns without colour."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


def drawn(rows: list[dict[str, str]], *, into: io.StringIO | None = None, **how: object) -> list:
    """The lines of a table."""
    out = Terminal() if into is None else into
    with redirect_stdout(out):
        table(tuple(rows[0]), rows, **how)  # type: ignore[arg-type]
    return out.getvalue().splitlines()


def test_a_table_that_fits_is_a_line_a_row() -> None:
    assert drawn([{"id": TASK, "kind": "dns"}], below=("kind",)) == [
        "ID                 KIND",
        f"{TASK}  dns",
    ]


def test_prose_goes_below_its_row_wrapped_between_words() -> None:
    row = {"id": TASK, "kind": "dns_missing", "action": WORDS}
    assert drawn([row], keys=("id",), below=("action",)) == [
        "ID                 KIND",
        f"{TASK}  dns_missing",
        "  action: Set ROUTEBOOK_TRAEFIK_API of the daemon to the address of the API of",
        "    Traefik, and restart",
    ]


def test_columns_go_below_one_after_the_other_until_the_rest_fits() -> None:
    row = {"id": TASK, "at": "x" * 40, "note": "y" * 40}
    head, first, second = drawn([row], below=("note", "at"))
    assert (head.split(), first.split(), second) == (
        ["ID", "AT"],
        [TASK, "x" * 40],
        f"  note: {'y' * 40}",
    )


def test_a_key_is_whole_where_a_wider_column_is_cut() -> None:
    row = {"slug": "s" * 45, "host": "h" * 60, "owner": "Ines"}
    head, line = drawn([row], keys=("slug",))
    assert line.split() == ["s" * 45, f"{'h' * 25}…", "Ines"]
    assert len(line) <= 80
    assert head.split() == ["SLUG", "HOST", "OWNER"]


def test_a_key_is_whole_on_a_terminal_that_is_narrower_than_it() -> None:
    row = {"slug": "s" * 90, "owner": "Ines"}
    assert drawn([row], keys=("slug",))[1:] == ["s" * 90, "  owner: Ines"]


def test_a_long_value_of_a_sheet_goes_on_below_between_words() -> None:
    facts, out, pipe = [("id", TASK), ("action", WORDS)], Terminal(), io.StringIO()
    for stream in (out, pipe):
        with redirect_stdout(stream):
            sheet(facts)
    assert out.getvalue().splitlines() == [
        f"id      {TASK}",
        "action  Set ROUTEBOOK_TRAEFIK_API of the daemon to the address of the API of",
        "        Traefik, and restart",
    ]
    assert pipe.getvalue().splitlines() == [f"id      {TASK}", f"action  {WORDS}"]


def test_nothing_is_cut_or_moved_in_a_pipe() -> None:
    row = {"id": "i" * 300, "action": WORDS}
    head, line = drawn([row], into=io.StringIO(), below=("action",))
    assert (head.split(), line) == (["ID", "ACTION"], f"{'i' * 300}  {WORDS}")


def test_a_table_without_rows_is_a_line_in_words() -> None:
    out = Terminal()
    with redirect_stdout(out):
        table(("id",), [], empty="no task is open")
    assert out.getvalue() == "no task is open\n"
