"""What the command says of itself."""

from __future__ import annotations

import tomllib

import pytest

from tests.access.processes import routebook
from tests.daemons import ROOT


async def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ended = await routebook("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"routebook {project['version']}\n", "")


@pytest.mark.parametrize("words", ["", "list", "tasks", "tasks show", "accounts add", "serve"])
async def test_h_is_help_everywhere(words: str) -> None:
    short = await routebook(*words.split(), "-h")
    long = await routebook(*words.split(), "--help")
    assert short.code == 0
    assert short.out == long.out != ""
