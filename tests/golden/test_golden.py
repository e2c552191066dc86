"""Each folder beside this file: a catalogue, the document it must lead to, and what is left out.

The way is the real one: file, store, compiler, document. `left_out.json` has a line for each fault,
rejection, conflict and note, in that order. A new case is a new folder: write `document.json` from
the rules of rendering, not from what the program says.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import MARKER, Document, assemble
from provider.render.fragment import OwnCertificate, Pair
from registry.engines.json_file import JsonFileEngine
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore
from tests.unit.fakes import AnyProjects, Clock

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/catalogue.json"))


@pytest.mark.parametrize("case", CASES)
async def test_the_catalogue_leads_to_this_document(case: str, tmp_path: Path) -> None:
    snapshot, document = await rendered(HERE / case, tmp_path)
    assert pretty(json.loads(document.body)) == (HERE / case / "document.json").read_text()
    assert list(left_out(snapshot, document)) == given(case, "left_out.json")
    assert f'"{MARKER}{document.digest}"'.encode() in document.body


async def rendered(case: Path, folder: Path) -> tuple[Snapshot, Document]:
    """The catalogue of a case, on the way that the daemon takes."""
    file = folder / "environments.json"
    shutil.copy(case / "catalogue.json", file)
    engine = JsonFileEngine(file)
    snapshot = await EnvironmentStore(engine, AnyProjects(), clock=Clock()).load()
    await engine.aclose()
    certificates = own_certificates(case.name, snapshot.environments)
    compiled = Compiler(rules(case.name)).compile_all(snapshot.environments, certificates)
    return snapshot, assemble(compiled)


def rules(case: str) -> Rules:
    """The settings of a case."""
    settings = given(case, "settings.json") or {}
    listeners = settings.pop("forbidden_upstreams", {})
    by_address = {
        (host, int(port)): what
        for listener, what in listeners.items()
        for host, _, port in [listener.rpartition(":")]
    }
    if "tls_entrypoints" in settings:
        settings["tls_entrypoints"] = frozenset(settings["tls_entrypoints"])
    return Rules(**settings, forbidden_upstreams=by_address)


def own_certificates(case: str, environments: tuple[Environment, ...]) -> dict[str, OwnCertificate]:
    """What is known of the pairs that records name, by environment."""
    facts = {(f["cert_file"], f["key_file"]): f for f in given(case, "certificates.json") or []}
    found = {}
    for environment in environments:
        tls = environment.router.tls if environment.router else None
        if tls and tls.cert_file and tls.key_file:
            found[environment.environment_id] = own(facts[tls.cert_file, tls.key_file])
    return found


def own(fact: dict[str, Any]) -> OwnCertificate:
    """A pair, a problem, or both."""
    if "fingerprint" not in fact:
        return OwnCertificate(None, fact["problem"])
    folder = f"/certs/.live/{fact['fingerprint']}"
    pair = Pair(
        fingerprint=fact["fingerprint"],
        names=tuple(fact["names"]),
        not_after=datetime.fromisoformat(fact["not_after"]),
        cert_path=f"{folder}/cert.pem",
        key_path=f"{folder}/key.pem",
    )
    return OwnCertificate(pair, fact.get("problem"))


def left_out(snapshot: Snapshot, document: Document) -> Iterator[str]:
    """Everything that is not served as written, a line each."""
    for fault in snapshot.faults:
        name = fault.environment_id or fault.slug or "a record"
        yield from (f"{name}: {fault.code}: {error}" for error in fault.errors)
    for each in document.rejections:
        yield f"{each.environment_id}: {each.code}: {each.pointer}: {each.message}"
    for conflict in document.conflicts:
        yield f"{conflict.loser}: route_conflict: {conflict.message}"
    for environment_id, notes in document.notes.items():
        yield from (f"{environment_id}: {n.code}: {n.pointer}: {n.message}" for n in notes)


def given(case: str, name: str) -> Any:
    """A file of a case; None where there is none."""
    file = HERE / case / name
    return json.loads(file.read_text()) if file.exists() else None


def pretty(value: Any) -> str:
    """As the expected documents are written; the order of keys counts, as it does for digests."""
    return json.dumps(value, indent=2) + "\n"
