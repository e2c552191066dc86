"""kill -9 at random moments under eight writers, and under hand edits beside them.

The whole form kills more than 300 times in each of the two tests.
"""

from __future__ import annotations

import pytest

from tests.chaos.conftest import MakeServe
from tests.chaos.editors import make_editors
from tests.chaos.folder import Folder
from tests.chaos.form import amount, report
from tests.chaos.kills import kill_often
from tests.chaos.verdict import check_history, check_records, made
from tests.chaos.writers import Ledger, make_writers, owned_by

ROUNDS = amount(1, 10)
WRITERS = 8
KILLS_A_ROUND = amount(6, 31)
KILLS_WITH_EDITORS = amount(3, 31)


@pytest.mark.timeout(amount(120, 3600))
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_no_acknowledged_write_is_lost_by_kills(
    folder: Folder, make_serve: MakeServe, seed: int
) -> None:
    serve, ledger, by_hand = make_serve(folder), Ledger(), made(folder)
    writers = make_writers(WRITERS, ledger, seed)
    await kill_often(serve, KILLS_A_ROUND, seed, writers)
    check_records(folder, owned_by(writers))

    assert await serve.stop() == 0, serve.said[-2000:]

    check_records(folder, owned_by(writers))
    check_history(folder, ledger, by_hand)
    assert folder.leftovers() == []
    assert ledger.wrong == []
    assert len(ledger.acknowledged) > 10 * KILLS_A_ROUND
    report(
        "kills under writers",
        kills=KILLS_A_ROUND,
        acknowledged=len(ledger.acknowledged),
        unknown=ledger.unknown,
        refused=dict(ledger.refused),
        lost=0,
    )


@pytest.mark.timeout(amount(120, 3600))
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_neither_writes_nor_hand_edits_are_lost_by_kills(
    folder: Folder, make_serve: MakeServe, seed: int
) -> None:
    editors = make_editors(folder, seed)
    serve, ledger = make_serve(folder), Ledger()
    writers = make_writers(WRITERS, ledger, seed)
    await kill_often(serve, KILLS_WITH_EDITORS, seed, writers, editors)

    assert await serve.stop() == 0, serve.said[-2000:]

    report(
        "kills under writers and editors",
        kills=KILLS_WITH_EDITORS,
        acknowledged=len(ledger.acknowledged),
        unknown=ledger.unknown,
        refused=dict(ledger.refused),
        hand_edits=sum(editor.saves for editor in editors),
        stale_edits_mended=serve.said.count("event=stale_edit"),
        kept_aside=[words for editor in editors for words in editor.kept_aside],
        held=serve.said.count("edit_held"),
        late_saves=len(folder.late()),
    )
    assert [words for editor in editors for words in editor.lost] == []
    check_records(folder, owned_by(writers), editors)
    check_history(folder, ledger, editors[0].desk.wrote)
    assert [name for name in folder.leftovers() if not name.endswith(".late")] == []
    assert ledger.wrong == []
    assert len(ledger.acknowledged) > 5 * KILLS_WITH_EDITORS
