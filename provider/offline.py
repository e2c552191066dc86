"""A folder judged without a daemon: its document, and all that is wrong with it. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from provider.admission import Admission
from provider.certificate_findings import CertificateCheck, named_pairs
from provider.findings import Finding, finding_in, finding_of
from provider.observe.certificates import CertificateFolder
from provider.observe.default_certificate import CERT_FILE, KEY_FILE
from provider.reconciler import render
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document
from registry.codec import located
from registry.engines.json_file import JsonFileEngine
from registry.engines.opening import CATALOGUE
from registry.engines.protocol import Loaded
from registry.entries import Place, PlacedError
from registry.errors import RegistryError, UnknownProject
from registry.reader import Reader
from registry.snapshot import Snapshot
from registry.workspaces import Workspaces


@dataclass(frozen=True)
class Inputs:
    """What is judged: the folders, and the settings that have a say in rendering.

    `traefik_certificates` is the folder `certificates` as Traefik sees it.
    """

    data: Path
    projects: Path
    certificates: Path
    traefik_certificates: str
    rules: Rules
    default_certificate: bool = False


@dataclass(frozen=True)
class Inspection:
    """What was found, the catalogue first and in the order of lines, and how much there is of what.

    `document` is None when the catalogue cannot be read. `certificates` are pairs that are named.
    """

    document: Document | None
    findings: tuple[Finding, ...]
    environments: int
    workspaces: int
    certificates: int

    @property
    def faults(self) -> list[Finding]:
        """What has to be mended."""
        return [finding for finding in self.findings if not finding.is_warning]

    @property
    def warnings(self) -> list[Finding]:
        """What works, but not as it should, or not for long."""
        return [finding for finding in self.findings if finding.is_warning]

    @property
    def left_out(self) -> list[Finding]:
        """What the document lacks."""
        return [finding for finding in self.findings if finding.is_left_out]


async def inspect(inputs: Inputs, now: datetime) -> Inspection:
    """All of it once, as a daemon reads it that starts here and remembers nothing."""
    workspaces = Workspaces(inputs.projects)
    certificates = CertificateFolder(
        inputs.certificates, inputs.traefik_certificates, read_only=True
    )
    broken = tuple(
        finding_of(error, inputs.projects, "invalid_workspace") for error in workspaces.faults()
    )
    try:
        snapshot = await _snapshot(inputs, workspaces, certificates)
    except RegistryError as error:
        unreadable = _unreadable(error, inputs.data)
        return Inspection(None, (unreadable, *broken), 0, len(workspaces.ids()), 0)
    document, own = render(
        snapshot.environments,
        Compiler(inputs.rules),
        certificates,
        default_certificate=inputs.default_certificate,
    )
    pairs = list(named_pairs(snapshot, own))
    check = CertificateCheck(
        inputs.data, inputs.certificates, certificates, inputs.rules.tls_entrypoints, now
    )
    findings = [
        *_of_records(snapshot, inputs.data),
        *_of_hidden_workspaces(snapshot, workspaces, inputs.data),
        *_of_document(document, snapshot, inputs.data),
        *_said_once(finding for pair in pairs for finding in check(pair)),
    ]
    findings.sort(key=lambda finding: (finding.line, finding.column))
    return Inspection(
        document=document,
        findings=(*findings, *_of_default(inputs, certificates), *broken),
        environments=len(snapshot.entries),
        workspaces=len(workspaces.ids()),
        certificates=len({(pair.cert_file, pair.key_file) for pair in pairs}),
    )


async def _snapshot(
    inputs: Inputs, workspaces: Workspaces, certificates: CertificateFolder
) -> Snapshot:
    engine = JsonFileEngine(inputs.data / CATALOGUE)
    verify = Admission(inputs.rules, certificates).verify
    reader = Reader(engine, workspaces, verify, founded=True)
    while True:
        snapshot, loaded = await reader.read(None), await engine.load()
        if snapshot.revision == loaded.revision:  # else it was saved between the two
            return _placed(snapshot, loaded)


def _placed(snapshot: Snapshot, loaded: Loaded) -> Snapshot:
    """Every record with its place, for faults that only rendering finds."""
    raws = (replace(raw, place=loaded.place(at)) for at, raw in enumerate(loaded.records))
    pairs = zip(snapshot.entries, raws, strict=True)
    return replace(snapshot, entries=tuple(replace(entry, raw=raw) for entry, raw in pairs))


def _unreadable(error: RegistryError, data: Path) -> Finding:
    line, column = error.facts.get("line", 1), error.facts.get("column", 1)
    place = Place(CATALOGUE, int(str(line)), int(str(column)))
    reason = error.detail.removeprefix(f"{place}: ")
    return finding_of(PlacedError("", reason, place), data, error.code)


def _of_records(snapshot: Snapshot, data: Path) -> Iterator[Finding]:
    for fault in snapshot.faults:
        for error in fault.errors:
            yield finding_of(error, data, fault.code, fault.environment_id or fault.slug)


def _of_hidden_workspaces(
    snapshot: Snapshot, workspaces: Workspaces, data: Path
) -> Iterator[Finding]:
    """The unknown workspace of a record that is broken anyway: the reader asks for none then.

    It may be the very reason: without a workspace there is no default owner.
    """
    for entry in snapshot.entries:
        fault = entry.fault
        if fault is None or any(error.pointer == "/project_id" for error in fault.errors):
            continue
        try:
            _known_workspace(entry.raw.text, workspaces)
        except UnknownProject as error:
            for each in error.errors:
                placed, name = located(entry.raw, each), fault.environment_id or fault.slug
                yield finding_of(placed, data, error.code, name)


def _known_workspace(text: str, workspaces: Workspaces) -> None:
    try:
        record = json.loads(text)
    except ValueError:  # an integer of thousands of digits: a fault of its own
        return
    project_id = record.get("project_id") if isinstance(record, dict) else None
    if isinstance(project_id, str):
        workspaces.get(project_id)


def _of_document(document: Document, snapshot: Snapshot, data: Path) -> Iterator[Finding]:
    for each in document.rejections:
        entry = snapshot.by_id[each.environment_id]
        yield finding_in(entry, data, each.pointer, each.message, each.code)
    slugs = {fragment.environment_id: fragment.slug for fragment in document.fragments}
    for conflict in document.conflicts:
        entry = snapshot.by_id[conflict.loser]
        reason = f"{conflict.loser} ({slugs[conflict.loser]}) loses a claim: {conflict.message}"
        yield finding_in(entry, data, "/metadata/router/hostnames", reason, "route_conflict")


def _of_default(inputs: Inputs, certificates: CertificateFolder) -> Iterator[Finding]:
    if not inputs.default_certificate:
        return
    problem = certificates.look(CERT_FILE, KEY_FILE).problem
    if problem is not None:
        error = PlacedError("", f"{problem}; `serve` makes it", Place(CERT_FILE, 1, 1))
        yield finding_of(error, inputs.certificates, "certificate_left_out").as_warning()


def _said_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """A warning about a file that many records name is one warning."""
    said = set()
    for finding in findings:
        if not finding.is_warning or finding.message not in said:
            yield finding
        said.add(finding.message)
