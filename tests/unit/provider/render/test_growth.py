"""What a change costs, in work and not in time: as much among 2,000 environments as among 20."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from provider.publication import Publication, encode_publication
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.schema import Environment
from tests.records import environment, routed, router

# A group has 32 environments on average; what a change compresses are the three sections of one.
GROUPS_BYTES_MAX = 8 * 32 * 500


class Work(NamedTuple):
    """What is not the very object that was there before."""

    fragments_compiled: int
    parts_encoded: int
    groups_joined: int
    claims_judged: int


def catalogue(size: int) -> list[Environment]:
    """So many, with paths that need a middleware; two of them contend for a host."""
    many = [routed(f"n{number}", path_prefix="/app", strip_prefix=True) for number in range(size)]
    contenders = [routed(f"rival{number}", hostnames=["rival.test"]) for number in (1, 2)]
    return [*many, *contenders]


def published(
    compiler: Compiler,
    environments: Sequence[Environment],
    before: tuple[Document, Publication] | None = None,
) -> tuple[Document, Publication]:
    """As a pass does it."""
    document, publication = before or (None, None)
    after = assemble(compiler.compile_all(environments), before=document)
    return after, encode_publication(after.pieces, after.digest, publication)


def work(before: Document, after: Document) -> Work:
    """What was made for `after`; values say it themselves, since they are never changed."""
    kept = {id(each) for each in before.fragments}
    parts = {id(part) for group in before.groups for part in group.parts.values()}
    groups, conflicts = set(map(id, before.groups)), set(map(id, before.conflicts))
    return Work(
        sum(id(each) not in kept for each in after.fragments),
        sum(id(p) not in parts for group in after.groups for p in group.parts.values()),
        sum(id(each) not in groups for each in after.groups),
        sum(id(each) not in conflicts for each in after.conflicts),
    )


def deflated_bytes(before: Publication, after: Publication) -> int:
    """How much of the body was compressed for it."""
    return sum(len(piece) for piece in after.shards if piece not in before.shards)


@pytest.mark.parametrize("size", [20, 2000])
def test_one_changed_upstream_costs_one_fragment_one_part_and_one_group(size: int) -> None:
    compiler, environments = Compiler(Rules()), catalogue(size)
    before = published(compiler, environments)
    environments[7] = routed(
        "n7", path_prefix="/app", strip_prefix=True, service_url="http://10.0.0.9:9000"
    )
    after = published(compiler, environments, before)
    assert work(before[0], after[0]) == Work(1, 1, 1, 0)
    assert 0 < deflated_bytes(before[1], after[1]) < GROUPS_BYTES_MAX


@pytest.mark.parametrize("size", [20, 2000])
def test_one_that_comes_or_goes_costs_no_more(size: int) -> None:
    compiler, environments = Compiler(Rules()), catalogue(size)
    before = published(compiler, environments)
    more = published(compiler, [*environments, routed("n7x")], before)
    assert work(before[0], more[0])[:2] == (1, 1)
    assert work(before[0], more[0]).groups_joined <= 2
    assert 0 < deflated_bytes(before[1], more[1]) < 2 * GROUPS_BYTES_MAX
    less = published(compiler, environments, more)
    assert work(more[0], less[0])[:2] == (0, 0)
    assert work(more[0], less[0]).groups_joined <= 2


@pytest.mark.parametrize("size", [20, 2000])
def test_a_rival_that_leaves_costs_the_part_of_the_other(size: int) -> None:
    compiler, environments = Compiler(Rules()), catalogue(size)
    before = published(compiler, environments)
    assert len(before[0].conflicts) == 1
    after = published(compiler, [*environments[:-2], environments[-1]], before)
    assert work(before[0], after[0])[:2] == (0, 1)
    assert (len(after[0].conflicts), after[0].shares.keys() - before[0].shares.keys()) == (
        0,
        {"env-rival2"},
    )


@pytest.mark.parametrize("size", [20, 2000])
def test_what_traefik_cannot_see_costs_nothing(size: int) -> None:
    compiler, environments = Compiler(Rules()), catalogue(size)
    before = published(compiler, environments)[0]
    environments[7] = environment(
        slug="n7",
        health={"status": "offline"},
        **router(path_prefix="/app", strip_prefix=True),
    )
    assert assemble(compiler.compile_all(environments), before=before) is before
