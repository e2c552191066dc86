"""Every reason of a condition has its row in the documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider.routing.live import _SHADOWS

ROOT = Path(__file__).parents[2]
FROM_A_STATUS = {"router_disabled", "router_warning"}


def literal_reasons() -> Iterator[str]:
    """The reason of each Condition that the code of provider/routing makes."""
    for path in sorted((ROOT / "provider" / "routing").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func if isinstance(node, ast.Call) else None
            if isinstance(name, ast.Name) and name.id == "Condition":
                assert isinstance(node, ast.Call)
                reason = node.args[1]
                if isinstance(reason, ast.Constant):
                    yield str(reason.value)


REASONS = {*literal_reasons(), *FROM_A_STATUS, *(reason for _, _, reason in _SHADOWS)}


def documented() -> dict[str, str]:
    """The rows of the table of reasons, by reason."""
    text = (ROOT / "docs" / "rest_api.md").read_text()
    table = text.split("| reason | of | status |")[1].split("\n\n")[0]
    return {found[1]: found[0] for found in re.finditer(r"^\| `(\w+)` .*$", table, re.MULTILINE)}


def test_reasons_are_found_in_the_code() -> None:
    assert {"valid", "published", "live", "pending", "no_traefik_known", "shadowed"} <= REASONS


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_each_reason_has_its_row(reason: str) -> None:
    assert reason in documented()


def test_no_row_is_about_a_reason_that_nobody_gives() -> None:
    assert documented().keys() - REASONS == {"forbidden_upstream"}, "that one is a rejection's code"
