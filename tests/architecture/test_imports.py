"""Imports go one way, as `[tool.importlinter]` says; the whole of both packages is covered."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def contracts() -> dict[str, dict[str, object]]:
    """The import contracts, by id."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}


def test_every_import_contract_is_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 broken" in run.stdout


def test_the_layers_name_every_module() -> None:
    for layered in ("registry-layers", "provider-layers", "render-layers"):
        assert contracts()[layered].get("exhaustive") is True, layered


def test_the_provider_may_use_the_registry_and_never_back() -> None:
    assert contracts()["one-way"]["layers"] == ["provider", "registry"]


def test_what_decides_is_pure() -> None:
    pure = contracts()["pure"]
    sources, forbidden = pure["source_modules"], pure["forbidden_modules"]
    assert isinstance(sources, list)
    assert isinstance(forbidden, list)
    assert {"provider.render", "registry.changes", "registry.codec", "registry.snapshot"} <= set(
        sources
    )
    assert {"aiohttp", "asyncio", "os", "pathlib", "time", "logging", "socket"} <= set(forbidden)
