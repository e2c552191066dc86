"""docs/cli.md says what the program says."""

from __future__ import annotations

import os
import subprocess
import sys

from registry.cli.verbs import VERBS
from tests.daemons import ROOT


def test_the_page_is_what_the_program_makes() -> None:
    made = subprocess.run(
        [sys.executable, "scripts/cli_page.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ROOT / "docs" / "cli.md").read_text() == made.stdout, "run `make docs`"


def test_every_verb_has_its_heading() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    for verb in (*VERBS, "serve", "demo", "check", "render", "accounts add", "tokens create"):
        assert f"### `routebook {verb}`" in page or f"#### `routebook {verb}`" in page, verb
