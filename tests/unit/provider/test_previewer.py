"""What a dry run says is what the write then does: many writes, made up."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provider.admission import Admission
from provider.observe.certificates import CertificateFolder
from provider.previewer import Previewer
from provider.reconciler import render
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import MARKER, Document
from provider.render.routes import routes_of
from registry.engines.memory import MemoryEngine
from registry.errors import RegistryError
from registry.store import EnvironmentStore
from tests.api.dry_runs import patched
from tests.records import record
from tests.unit.fakes import AnyProjects, Clock

HOSTS = [f"{letter}.test" for letter in "abcd"]
SLUGS = [f"s{number}" for number in range(6)]


class Bench:
    """A store whose writes are judged, and a previewer beside it."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.clock = Rules(), Clock()
        self.certificates = CertificateFolder(folder, "/certs", read_only=True)
        self.store = EnvironmentStore(
            MemoryEngine([]),
            AnyProjects(),
            admission=Admission(self.rules, self.certificates),
            clock=self.clock,
        )
        self.previewer = Previewer(self.rules, folder, "/certs", default_certificate=False)

    def document(self) -> Document:
        """The document of what is in force."""
        assert self.store.snapshot is not None
        environments = self.store.snapshot.environments
        return render(
            environments, Compiler(self.rules), self.certificates, default_certificate=False
        )[0]


def value_of(document: Document) -> Any:
    """A document without its marker."""
    value = json.loads(document.body)
    del value["http"]["middlewares"][MARKER + document.digest]
    return value


def published(document: Document) -> set[tuple[str, str]]:
    """Host and environment of each published route."""
    return {
        (route.claim.host, route.fragment.environment_id)
        for route in routes_of(document)
        if route.state == "published"
    }


def body_of(chance: random.Random, slug: str) -> dict[str, Any]:
    """A record that claims some of few hosts."""
    hosts = chance.sample(HOSTS, chance.randint(1, 2))
    router: dict[str, Any] = {"service_url": "http://10.0.0.1:80", "hostnames": hosts}
    if chance.random() < 0.3:
        router["path_prefix"] = "/app"
    state = chance.choice(["active", "active", "planned", "maintenance"])
    return record(
        slug=slug,
        environment_id=f"env-{slug}",
        metadata={"router": router},
        lifecycle={"state": state},
    )


async def written(store: EnvironmentStore, slug: str, seed: int) -> RegistryError | None:
    """One write, the same for the same seed; why it was refused."""
    chance = random.Random(seed)
    given = body_of(chance, slug)
    try:
        match chance.randint(0, 4):
            case 0:
                await store.create(given)
            case 1:
                await store.delete(slug)
            case 2:
                await store.patch(slug, {"metadata": given["metadata"]})
            case 3:
                state = chance.choice(["active", "retired"])
                await store.patch(slug, {"lifecycle": {"state": state}})
            case _:
                await store.apply([given])
    except RegistryError as error:
        return error
    return None


@pytest.mark.parametrize("seed", range(4))
async def test_the_difference_is_the_one_that_the_write_makes(tmp_path: Path, seed: int) -> None:
    chance, bench = random.Random(seed), Bench(tmp_path)
    await bench.store.initialise()
    outcomes = Counter[str]()
    for _ in range(120):
        bench.clock.move(seconds=1)
        slug, drawn = chance.choice(SLUGS), chance.randrange(1 << 30)
        before = bench.document()
        other, rehearsal = bench.store.rehearsed()
        foreseen = await written(other, slug, drawn) or rehearsal.conflict
        found = await bench.previewer.difference(rehearsal.preview)
        assert bench.document().body == before.body
        error = await written(bench.store, slug, drawn)
        assert type(error) is type(foreseen)
        outcomes["made" if error is None else error.code] += 1
        after = bench.document()
        if error is None:
            assert patched(value_of(before), list(found.document)) == value_of(after)
            won, lost = (
                {(route.claim.host, route.fragment.environment_id) for route in routes}
                for routes in (found.won, found.lost)
            )
            assert won >= published(after) - published(before)
            assert lost >= published(before) - published(after)
        else:  # nobody else loses a route to a write that is refused
            assert {route.fragment.slug for route in found.lost} <= {slug}
    assert outcomes["made"] > 20, outcomes
    assert outcomes["route_conflict"] > 5, outcomes
