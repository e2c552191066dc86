"""A filter that names nothing is an error, and not an empty list."""

from __future__ import annotations

from typing import get_args, get_type_hints

from provider.api.human_tasks import TasksQuery
from provider.api.listing import ListQuery
from registry.cli.filters import Health, Severity, State, TaskState
from tests.api.steps import create
from tests.cli.conftest import Shell
from tests.daemons import Daemon


async def test_an_unknown_environment_ends_the_lists_as_it_ends_show(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev")
    for words in (["tasks", "--for", "nope"], ["routes", "nope"], ["routes", "nope", "--json"]):
        ended = await shell(*words)
        assert (ended.code, ended.out) == (1, ""), words
        assert ended.err.startswith("routebook: not_found: no environment has the id or slug")


async def test_an_unknown_workspace_is_named_with_those_that_are_near(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev")
    for words in ("list", "routes", "export", "list --json"):
        ended = await shell(*words.split(), "--project", "nightshft")
        assert (ended.code, ended.out) == (1, ""), words
        assert ended.err.startswith("routebook: unknown_project: ")
        assert "did you mean nightshift?" in ended.err


async def test_a_workspace_without_environments_is_no_error(daemon: Daemon, shell: Shell) -> None:
    ended = await shell("list", "--project", "storefront")
    assert (ended.code, ended.out) == (0, "no environment matches\n")


async def test_a_value_that_a_filter_cannot_have_is_wrong_usage_of_its_flag(shell: Shell) -> None:
    for words in (
        ["list", "--state", "actve"],
        ["list", "--health", "actve"],
        ["routes", "--state", "actve"],
        ["tasks", "--state", "actve"],
        ["tasks", "--severity", "actve"],
    ):
        ended = await shell(*words)
        assert (ended.code, ended.out) == (2, ""), words
        assert f"'{words[1]}'" in ended.err
        assert "'actve' is not one of" in ended.err


def test_the_values_of_the_flags_are_those_of_the_api() -> None:
    def named(of: object) -> set[object]:
        """The texts that a type takes."""
        found = {each for part in get_args(of) for each in named(part)}
        return found or ({of} if isinstance(of, str) else set())

    listing, asked = get_type_hints(ListQuery), get_type_hints(TasksQuery)
    for ours, theirs in (
        (State, listing["state"]),
        (Health, listing["health"]),
        (TaskState, asked["state"]),
        (Severity, asked["severity"]),
    ):
        assert named(ours) == named(theirs)
        assert named(ours)
