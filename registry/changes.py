"""What a write makes of a record: pure functions over JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from registry.differing import differing
from registry.errors import FieldError, InvalidRecord
from registry.fields import instant_text
from registry.names import fresh_environment_id
from registry.project_spec import ProjectDefinition
from registry.schema import Environment, field_errors
from registry.snapshot import Snapshot

_OBSERVED = ("lifecycle", "health")
_DEFAULTED = ("environment_id", "owner", "lifecycle", "health")
READ_ONLY_KEYS = ("project", "fault", "routing", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Change:
    """One change for an engine: no `key` appends a record, no `text` removes one.

    `laid_out` says that the text has the white space of its place already.
    """

    key: str | None
    text: str | None
    laid_out: bool = False


def between(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """The changes that turn one snapshot's stored texts into the other's."""
    gone, come = differing(before.entries, after.entries)
    kept = {entry.raw.key: entry.raw for entry in come if entry.raw.key}
    changes = []
    for entry in gone:
        raw = kept.get(entry.raw.key)
        if entry.raw.key and (raw is None or raw.text != entry.raw.text):
            text, laid_out = (raw.text, raw.laid_out) if raw else (None, False)
            changes.append(Change(entry.raw.key, text, laid_out))
    added = [
        Change(None, entry.raw.text) for entry in come if not entry.raw.key and not entry.lingering
    ]
    return (*changes, *added)


def merge_patch(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396); neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def validated(data: Any) -> Environment:
    """The record as a model. Raises InvalidRecord with every fault's pointer."""
    try:
        return Environment.model_validate(data)
    except ValidationError as error:
        errors = field_errors(error)
        raise InvalidRecord(f"the record breaks {len(errors)} rule(s)", errors) from error


def as_object(body: Any) -> dict[str, Any]:
    """A request body that must be an object, without the keys that only we write."""
    if not isinstance(body, dict):
        raise InvalidRecord("a record is a JSON object", [FieldError("", "must be an object")])
    return {key: value for key, value in body.items() if key not in READ_ONLY_KEYS}


def project_id_of(given: Mapping[str, Any]) -> str:
    """The workspace that a body names. Raises InvalidRecord when it names none."""
    project_id = given.get("project_id")
    if not isinstance(project_id, str):
        fault = FieldError("/project_id", "required: the id of a workspace")
        raise InvalidRecord("the record names no workspace", [fault])
    return project_id


def created(body: Any, project: ProjectDefinition, now: datetime) -> Environment:
    """A new record with the defaults of creating: id, owner, health, lifecycle, times."""
    given = {k: v for k, v in as_object(body).items() if v is not None or k not in _DEFAULTED}
    slug = given.get("slug")
    record = {
        "environment_id": fresh_environment_id(slug if isinstance(slug, str) else ""),
        "owner": _owner(project),
        **given,
        "lifecycle": _with_default(given, "lifecycle", "state", "planned"),
        "health": _with_default(given, "health", "status", "unknown"),
        "created_at": now,
        "updated_at": now,
    }
    if record["owner"] is None:
        record.pop("owner")  # the schema then says that it is required
    validated(record)  # before stamping: a wrong time must not pass unseen
    return validated(_stamped({}, record, given, now))


def replaced(current: Environment, body: Any, now: datetime) -> Environment:
    """The record that a PUT asks for: the body whole, with what only we write."""
    given = as_object(body)
    given.setdefault("environment_id", current.environment_id)
    return _successor(current, given, given, now)


def mended(body: Any, environment_id: str | None, now: datetime) -> Environment:
    """A whole record in the place of one that never was good; no default of creating."""
    given = as_object(body)
    if environment_id is not None:
        given.setdefault("environment_id", environment_id)
    times = {"created_at": now, "updated_at": now}
    validated({**given, **times})
    return validated({**_stamped({}, given, given, now), **times})


def restored(document: Mapping[str, Any], now: datetime) -> Environment:
    """A deleted record as it was, as a new change. Raises InvalidRecord."""
    return validated({**document, "updated_at": now})


def patched(current: Environment, patch: Any, now: datetime) -> Environment:
    """The record that a merge patch asks for."""
    given = as_object(patch)
    return _successor(current, merge_patch(current.document, given), given, now)


def declared(current: Environment, body: Any, now: datetime) -> Environment:
    """The record as a declaration has it, whole; the same twice changes nothing.

    What has a default in a new record stays as it is where the declaration does not name it:
    owner, and each field of lifecycle and health, which others write too.
    """
    named = {key: value for key, value in as_object(body).items() if value is not None}
    record = {"environment_id": current.environment_id, **named}
    record.setdefault("owner", current.document["owner"])
    for part in _OBSERVED:
        record[part] = _over(current.document[part], named.get(part, {}))
    if record["health"] == current.document["health"]:
        named.pop("health", None)  # saying again what is known is no new check
    return _successor(current, record, named, now)


def _over(known: Mapping[str, Any], given: Any) -> Any:
    return {**known, **given} if isinstance(given, dict) else given


def _successor(
    current: Environment, record: Mapping[str, Any], given: Mapping[str, Any], now: datetime
) -> Environment:
    if record.get("environment_id") != current.environment_id:
        fault = FieldError("/environment_id", f"never changes; it is {current.environment_id!r}")
        raise InvalidRecord("an environment keeps its id", [fault])
    times = {"created_at": current.created_at, "updated_at": current.updated_at}
    successor = validated({**record, **times})  # before stamping: no wrong time passes unseen
    stamped = _stamped(current.document, record, given, now)
    if stamped != record:  # only times differ, so that 1 is not taken for true here
        successor = validated({**stamped, **times})
    if successor.document == current.document and successor.revision == current.revision:
        return current  # the tag tells 1 from true; most writes differ in more than that
    return successor.written_at(now)


def _stamped(
    before: Mapping[str, Any], record: Mapping[str, Any], given: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The record with the times that follow `state` and `status`."""
    return {
        **record,
        **_part(record, "lifecycle", _changed_at(before, record, now)),
        **_part(record, "health", _checked_at(before, record, given, now)),
    }


def _changed_at(before: Mapping[str, Any], record: Mapping[str, Any], now: datetime) -> Any:
    old, new = _mapping(before, "lifecycle"), _mapping(record, "lifecycle")
    if new.get("state") != old.get("state"):
        # A new record may say since when; a change says it itself.
        return {"changed_at": (not before and new.get("changed_at")) or instant_text(now)}
    return {"changed_at": new.get("changed_at", old.get("changed_at"))}


def _checked_at(
    before: Mapping[str, Any], record: Mapping[str, Any], given: Mapping[str, Any], now: datetime
) -> Any:
    old, new, written = (_mapping(part, "health") for part in (before, record, given))
    said_never = "checked_at" in written and written["checked_at"] is None
    if said_never and ("status" not in written or not before):
        return {"checked_at": None}
    carried = new.get("checked_at") in (None, old.get("checked_at"))
    flipped = "status" in written and new.get("status") != old.get("status") and carried
    unsaid = "status" in written and "checked_at" not in written
    if flipped or unsaid:
        return {"checked_at": instant_text(now)}
    return {"checked_at": new.get("checked_at", old.get("checked_at"))}


def _mapping(record: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    value = record.get(part)
    return value if isinstance(value, dict) else {}


def _part(record: Mapping[str, Any], part: str, times: Mapping[str, Any]) -> dict[str, Any]:
    value = record.get(part)
    return {part: {**value, **times}} if isinstance(value, dict) else {}


def _owner(project: ProjectDefinition) -> dict[str, Any] | None:
    owner = project.default_owner()
    return None if owner is None else asdict(owner)


def _with_default(given: Mapping[str, Any], part: str, key: str, value: str) -> Any:
    present = given.get(part)
    if present is None:
        return {key: value}
    return {key: value, **present} if isinstance(present, dict) else present
