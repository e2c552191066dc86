"""The verdict at the end: nothing acknowledged is lost, nothing is there that nobody wrote."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tests.chaos.editors import Editor
from tests.chaos.folder import TOKEN, Folder, tokens
from tests.chaos.writers import Ledger, Owned

Line = Mapping[str, Any]
Wrote = set[tuple[str, str | None]]


def check_records(folder: Folder, owned: Iterable[Owned], editors: Iterable[Editor] = ()) -> None:
    """The file parses, and every record is as the one who alone changes it last knew it."""
    stored = tokens(folder.stored())
    expected = {each.environment_id: each.possible for each in owned}
    expected |= {key: {token} for editor in editors for key, token in editor.saved.items()}
    lost = [
        f"{environment_id}: in the file {stored.get(environment_id)!r}, wrote {possible}"
        for environment_id, possible in expected.items()
        if stored.get(environment_id) not in possible
    ]
    assert not lost, lost


def check_history(folder: Folder, ledger: Ledger, by_hand: Wrote) -> None:
    """Every acknowledged change has its line, no line is a phantom, and they lead to the file."""
    lines = folder.lines()
    written = [(line["environment_id"], token_of(line["after"])) for line in lines]
    missing = Counter(ledger.acknowledged) - Counter(written)
    assert not missing, f"acknowledged, and not in the history: {list(missing)[:5]}"
    phantoms = set(written) - ledger.attempted - by_hand
    assert not phantoms, f"in the history, and never tried: {list(phantoms)[:5]}"
    check_chain(lines)
    check_replay(folder, lines)


def check_chain(lines: Iterable[Line]) -> None:
    """Revisions count up by one, and each line begins where the one before it ended."""
    last: dict[str, Any] = defaultdict(lambda: None)
    for number, line in enumerate(lines, start=1):
        assert line["revision"] == number
        before = last[line["environment_id"]]
        assert line["before"] == before, f"revision {number} does not follow the one before it"
        last[line["environment_id"]] = line["after"]


def check_replay(folder: Folder, lines: Iterable[Line]) -> None:
    """The state that the lines lead to is the catalogue."""
    replayed = {line["environment_id"]: line["after"] for line in lines}
    assert {key: after for key, after in replayed.items() if after} == folder.stored()


def made(folder: Folder) -> Wrote:
    """What the file has before anybody writes."""
    return set(tokens(folder.stored()).items())


def token_of(document: Line | None) -> str | None:
    """The token that a document carries; None for a deletion."""
    return document[TOKEN] if document is not None else None
