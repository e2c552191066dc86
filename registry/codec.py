"""From stored texts to a snapshot with its faults, and back: each record on its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from registry.errors import FieldError
from registry.json_text import DuplicateKey, JsonFault, line_column, offset_of, parse_compactly
from registry.names import derived_environment_id, pointer_path
from registry.schema import Environment, Owner, field_errors, validated
from registry.snapshot import Entry, Fault, Place, PlacedError, RawRecord, Snapshot

FILLED_IN = ("environment_id", "owner", "created_at", "updated_at")
_ALL_FILLED_IN = frozenset(FILLED_IN)

_Names = tuple[str | None, str | None]
DefaultOwner = Callable[[str], Owner | None]
Met = Callable[[Environment, bytes], None]


def told_nobody(_environment: Environment, _text: bytes) -> None:
    """For whoever has no use for what is met."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A stored text read on its own: the environment, or a code and the faults.

    `names` are the id and slug that the text claims to have, where it says so.
    """

    environment: Environment | None
    code: str = ""
    errors: tuple[FieldError, ...] = ()
    names: tuple[str | None, str | None] = (None, None)
    wanting: tuple[str, ...] = ()


def encode(environment: Environment) -> str:
    """The stored text: two-space indent, non-ASCII as it is."""
    return to_json(environment.document, indent=2).decode()  # as json.dumps, ten times as fast


def completed(text: str, environment: Environment, wanting: Iterable[str]) -> str:
    """A hand-made record's text with the keys it lacked; nothing else of it changes.

    The id goes first, the rest last, each on its own line where the record has lines.
    """
    added = {key: environment.document[key] for key in wanting}
    inside = text.strip()[1:-1]
    start = inside[: len(inside) - len(inside.lstrip())]
    end = inside[len(inside.rstrip()) :]
    rows = [f"{json.dumps(key)}: {json.dumps(added[key], ensure_ascii=False)}" for key in added]
    first = [row for row in rows if row.startswith('"environment_id"')]
    last = [row for row in rows if row not in first]
    between = "," + (start or " ")
    return "{" + start + between.join([*first, inside.strip(), *last]) + end + "}"


def decode(text: str, default_owner: DefaultOwner, met: Met = told_nobody) -> Decoded:
    """One stored text. Never raises: what is wrong with it is in the value.

    `met` is told of a good and complete record, and its text without white space.
    """
    try:
        data, compact = parse_compactly(text)
    except DuplicateKey as error:
        return Decoded(None, "duplicate_key", (FieldError("", str(error)),), _names(text))
    except JsonFault as error:
        return Decoded(None, "malformed_json", (FieldError("", str(error)),))
    if not isinstance(data, dict):
        return Decoded(None, "invalid_record", (FieldError("", "a record is an object"),))
    wanting = () if data.keys() >= _ALL_FILLED_IN else _wanting(data)
    try:
        filled = _filled(data, default_owner) if wanting else data
        environment = validated(filled, is_from_json=bool(compact))
    except ValidationError as error:
        return Decoded(None, "invalid_record", field_errors(error), _names_in(data), wanting)
    except Exception as error:  # a bug of ours; it stays with this record
        reason = f"cannot be read, a bug of ours: {type(error).__name__}"
        return Decoded(None, "internal", (FieldError("", reason),), _names_in(data), wanting)
    if not wanting:
        met(environment, compact)
    return Decoded(environment, names=names_of(environment), wanting=wanting)


def names_of(environment: Environment) -> tuple[str | None, str | None]:
    """The id and slug that it has."""
    return environment.environment_id, environment.slug


def build_snapshot(
    raws: Sequence[RawRecord],
    decoded: Sequence[Decoded],
    project_faults: Mapping[str, str],
    previous: Snapshot | None,
    revision: str,
    place: Callable[[int], Place | None] | None = None,
) -> Snapshot:
    """All records together: who keeps a name that two claim, whose workspace is gone, last good.

    `project_faults` maps the ids of unknown workspaces to the reason. A record in such a workspace
    stays in force as it was; a new or changed one is held back. `place` tells where a record
    stands that does not say so itself.
    """
    known = previous or Snapshot()
    checked = decoded
    if project_faults:
        checked = [_with_project(item, project_faults) for item in decoded]
    if not _all_good_and_apart(checked):
        checked = _without_doubles(checked, known)
    if any(_is_nameless(item, known) for item in checked):
        ids = {item.names[0] for item in checked if item.environment and not item.code}
        checked = [_unless_lingering(item, ids, known) for item in checked]
    taken = {item.names[0] for item in checked if item.environment and not item.code}
    entries = []
    for index, (raw, item) in enumerate(zip(raws, checked, strict=True)):
        if item.code and place is not None and raw.place is None:
            raw = replace(raw, place=place(index))
        entry = _entry(raw, item, known, previous is None, taken)
        if entry.environment is not None:  # one last good version serves one broken record
            taken.add(entry.environment.environment_id)
        entries.append(entry)
    return Snapshot((*entries, *_lingering(entries, known)), revision)


def _unless_lingering(item: Decoded, ids: Container[str | None], known: Snapshot) -> Decoded:
    """A newcomer does not take the slug of a record that a nameless broken one may be.

    `ids` are of the records that are stored and right.
    """
    if item.environment is None or item.code:
        return item
    holder = known.by_slug.get(item.environment.slug)
    held = holder.environment if holder else None
    if held is None or held.environment_id in ids:
        return item
    reason = (
        f"{held.slug!r} may be the slug of a broken record, as it is of {held.environment_id!r}"
    )
    return replace(item, code="slug_taken", errors=(FieldError("/slug", reason),))


def _is_nameless(item: Decoded, known: Snapshot) -> bool:
    return item.environment is None and _known_good(item, known) is None


def _lingering(entries: Sequence[Entry], known: Snapshot) -> Iterator[Entry]:
    """Records that vanished while a broken one matches none: it may be one of them."""
    if not any(entry.fault and entry.environment is None for entry in entries):
        return
    ids = {entry.environment.environment_id for entry in entries if entry.environment}
    for environment in known.environments:
        if environment.environment_id not in ids:
            reason = "not in the file any more; kept while a broken record may be this one"
            fault = Fault(
                "quarantined",
                (PlacedError("", reason),),
                environment.environment_id,
                environment.slug,
            )
            yield Entry(RawRecord("", ""), environment, fault, lingering=True)


def located(raw: RawRecord, error: FieldError) -> PlacedError:
    """A fault with the line and column of the value, or of the object that lacks it."""
    if raw.place is None:
        return PlacedError(error.pointer, error.message)
    path = pointer_path(error.pointer)
    line, column = line_column(raw.text, offset_of(raw.text, path))
    start = raw.place.column if line == 1 else 1
    place = Place(raw.place.source, raw.place.line + line - 1, start + column - 1)
    return PlacedError(error.pointer, error.message, place)


def _wanting(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in FILLED_IN if key not in data)


def _filled(data: Mapping[str, Any], default_owner: DefaultOwner) -> dict[str, Any]:
    filled = dict(data)
    project_id, slug = _text(data.get("project_id")), _text(data.get("slug"))
    if "environment_id" not in data and project_id and slug:
        filled["environment_id"] = derived_environment_id(project_id, slug)
    if "owner" not in data and project_id:
        filled["owner"] = default_owner(project_id)
        if filled["owner"] is None:
            del filled["owner"]
    return filled


def _names(text: str) -> _Names:
    """The id and slug of a record that names a key twice: the last one counts."""
    data = json.loads(text)
    if not isinstance(data, dict):
        return None, None
    return _names_in(data)


def _names_in(data: Mapping[str, Any]) -> _Names:
    return _text(data.get("environment_id")), _text(data.get("slug"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _with_project(item: Decoded, project_faults: Mapping[str, str]) -> Decoded:
    reason = item.environment and project_faults.get(item.environment.project_id)
    if not reason:
        return item
    return replace(item, code="unknown_project", errors=(FieldError("/project_id", reason),))


def _all_good_and_apart(items: Sequence[Decoded]) -> bool:
    """Whether there is no name that anybody could lose, as in most catalogues."""
    names = {name for item in items if item.environment is not None for name in item.names}
    return len(names) == 2 * len(items)


def _without_doubles(items: Sequence[Decoded], known: Snapshot) -> list[Decoded]:
    """Of two that claim one name the incumbent keeps it, else the first in order."""
    holders: dict[str, int] = {}
    for index, names in _incumbents_first(items, known):
        for name in names:
            holders.setdefault(str(name), index)
    return [_unless_held(item, index, holders, items) for index, item in enumerate(items)]


def _incumbents_first(items: Sequence[Decoded], known: Snapshot) -> list[tuple[int, _Names]]:
    """Who occupies which names, in the order in which they are asked.

    First who is as it was, then who has its id and slug, then the last good versions of broken
    records, then the rest.
    """
    asked = []
    for index, item in enumerate(items):
        good = _known_good(item, known)
        if item.environment is None:
            if good is not None:
                asked.append((2, index, (good.environment_id, good.slug)))
            continue
        same_names = good is not None and item.names == (good.environment_id, good.slug)
        same = good is item.environment or (
            good is not None and good.revision == item.environment.revision
        )
        asked.append((0 if same else 1 if same_names else 3, index, item.names))
    return [(index, names) for _, index, names in sorted(asked)]


def _unless_held(
    item: Decoded, index: int, holders: Mapping[str, int], items: Sequence[Decoded]
) -> Decoded:
    if item.environment is None:
        return item
    for name, code, pointer in zip(
        item.names, ("id_taken", "slug_taken"), ("/environment_id", "/slug"), strict=True
    ):
        holder = holders.get(name or "", index)
        if holder != index:
            reason = f"another record has {name!r} too, and keeps it: {_described(items[holder])}"
            return replace(item, code=code, errors=(FieldError(pointer, reason),))
    return item


def _described(item: Decoded) -> str:
    environment_id, slug = item.names
    return f"id {environment_id!r}, slug {slug!r}"


def _entry(
    raw: RawRecord, item: Decoded, known: Snapshot, first_look: bool, taken: set[str | None]
) -> Entry:
    if not item.code:
        return Entry(raw, _with_known_times(item, known), None, item.wanting)
    errors = tuple(located(raw, error) for error in item.errors)
    fault = Fault(item.code, errors, *item.names)
    if first_look and item.code == "unknown_project":
        return Entry(raw, item.environment, fault)
    return Entry(raw, _last_good(item, known, taken), fault)


def _with_known_times(item: Decoded, known: Snapshot) -> Environment | None:
    """A hand-made record that was met before keeps its times, though its editor lacks them."""
    if not item.wanting:
        return item.environment
    times = {key for key in item.wanting if key.endswith("_at")}
    good = _known_good(item, known) if times else None
    if item.environment is None or good is None or good.created_at is None:
        return item.environment
    kept = dict.fromkeys(times, good.document["created_at"])  # as when they were filled in
    return Environment.model_validate({**item.environment.document, **kept})


def _last_good(item: Decoded, known: Snapshot, taken: set[str | None]) -> Environment | None:
    """By id, else by slug: an id that is in force elsewhere is not this record's."""
    environment_id, slug = item.names
    for entry in (known.by_id.get(environment_id or ""), known.by_slug.get(slug or "")):
        good = entry.environment if entry else None
        if good is not None and good.environment_id not in taken:
            return good
    return None


def _known_good(item: Decoded, known: Snapshot) -> Environment | None:
    environment_id, slug = item.names
    entry = known.by_id.get(environment_id or "") or known.by_slug.get(slug or "")
    return entry.environment if entry else None
