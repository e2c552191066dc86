"""The environment record: every field, its bounds, and what must hold between fields."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails, PydanticCustomError, from_json, to_json

from registry.errors import FieldError
from registry.fields import (
    LIST_LENGTH_MAX,
    METADATA_BYTES_MAX,
    NESTING_MAX,
    NOT_FITTING,
    PART,
    EnvironmentId,
    HttpUrl,
    Instant,
    ProjectId,
    Slug,
    Text,
    Title,
    instant_text,
)
from registry.host import Host, Port
from registry.names import json_pointer
from registry.router_spec import RouterSpec
from registry.upstream import Upstream, UpstreamError, resolve_upstream

State = Literal["planned", "active", "maintenance", "retired"]
HealthStatus = Literal["unknown", "healthy", "degraded", "maintenance", "offline"]
_NOBODY_ASKS: set[str] = set()
_GIVEN, _UPSTREAM = "given", "upstream"
_FROM_JSON = {"values": "are of JSON"}
_PARTS_MAX = 4096
ROUTED_STATES: frozenset[State] = frozenset({"active", "maintenance"})


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class Owner:
    """The person to ask; mirrors a contact of the workspace."""

    name: Title
    email: Text | None = None
    slack: Text | None = None
    role: Text | None = None


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class Lifecycle:
    """Where the environment is in its life; `changed_at` follows `state`."""

    state: State
    notes: Text | None = None
    changed_at: Instant | None = None


@dataclass(config=PART, frozen=True, kw_only=True, slots=True)
class Health:
    """What was last seen of the environment, and when."""

    status: HealthStatus
    url: HttpUrl | None = None
    checked_at: Instant | None = None
    notes: Text | None = None


class Metadata(BaseModel):
    """Free tags, kept as written; only `router` is checked.

    What was given is kept as its JSON text, a fifth of the size of its values.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        strict=True,
        json_schema_extra={"additionalProperties": True},
    )

    router: RouterSpec | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _keep_as_given(
        cls, data: Any, handler: ModelWrapValidatorHandler[Metadata], info: ValidationInfo
    ) -> Metadata:
        metadata = handler(data)
        if isinstance(data, dict):
            given = to_json(data) if info.context is _FROM_JSON else b""
            if not _is_within_bounds(given):
                given = check_open_part(data, "/metadata").encode()
            metadata.__dict__[_GIVEN] = given  # beside the fields, as a cached property is
        return metadata

    @model_serializer(mode="plain")
    def _as_given(self) -> dict[str, Any]:
        return cast("dict[str, Any]", from_json(self.__dict__.get(_GIVEN, b"{}")))


class Environment(BaseModel):
    """One record of the catalogue. `created_at` None counts as newest (a hand-made record)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    environment_id: EnvironmentId
    project_id: ProjectId
    slug: Slug
    name: Title
    description: Text | None = None
    host: Host
    ports: Annotated[list[Port], Field(default_factory=list, max_length=LIST_LENGTH_MAX)]
    owner: Owner
    lifecycle: Lifecycle
    health: Health
    metadata: Annotated[Metadata, Field(default_factory=Metadata)]
    created_at: Instant | None = None
    updated_at: Instant | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Environment:
        if len({port.name for port in self.ports}) < len(self.ports):
            raise _second_of_a_name(self.ports)
        router = self.metadata.router
        try:
            upstream = router and resolve_upstream(router, self.host, self.ports)
        except UpstreamError as error:
            raise _at(error.pointer, str(error)) from error
        self.__dict__[_UPSTREAM] = upstream
        self._lighten()
        return self

    def _lighten(self) -> None:
        """Drop which keys were given, which nobody asks, and share what other records have too.

        That is several KB a record.
        """
        if len(_PARTS) >= _PARTS_MAX:
            _PARTS.clear()  # those in use stay with their records
        fields = self.__dict__
        for name, values in _SHARED:
            part = fields[name]
            fields[name] = _PARTS.setdefault((name, values(part)), part)
        self.ports[:] = [_PARTS.setdefault(("port", _PORT(port)), port) for port in self.ports]
        for model in (self, self.metadata):
            object.__setattr__(model, "__pydantic_fields_set__", _NOBODY_ASKS)

    def written_at(self, now: datetime) -> Environment:
        """This record with another `updated_at` (UTC), on which no rule hangs."""
        written = copy(self)
        written.__dict__["updated_at"] = now
        written.__dict__["document"] = {**self.document, "updated_at": instant_text(now)}
        written.__dict__.pop("revision", None)
        return written

    @property
    def router(self) -> RouterSpec | None:
        """The router section, if there is one."""
        return self.metadata.router

    @property
    def upstream(self) -> Upstream | None:
        """Where the requests of its router go, as it was found when the record was validated."""
        return cast("Upstream | None", self.__dict__[_UPSTREAM])

    @property
    def routed_by(self) -> RouterSpec | None:
        """The router section, where its state lets it claim routes."""
        return self.metadata.router if self.lifecycle.state in ROUTED_STATES else None

    @property
    def routed(self) -> bool:
        """Whether the environment claims routes at all."""
        return self.routed_by is not None

    @cached_property
    def document(self) -> dict[str, Any]:
        """The stored record as JSON values: every field, metadata as given. Not to be changed."""
        return self.model_dump(mode="json")

    def forget_document(self) -> None:
        """Free the memory of `document`, which is made anew for who asks again."""
        self.__dict__.pop("document", None)

    @cached_property
    def revision(self) -> str:
        """16 hex digits that change with any stored field: the record's entity tag."""
        return revision_of(self.document)


_VALIDATOR = Environment.__pydantic_validator__


def validated(data: Mapping[str, Any], *, is_from_json: bool) -> Environment:
    """As `Environment.model_validate`, in less time. Raises ValidationError.

    `is_from_json` promises that its values are of a JSON text in which no string has an escape.
    """
    context = _FROM_JSON if is_from_json else None
    return cast("Environment", _VALIDATOR.validate_python(data, context=context))


def _second_of_a_name(ports: Sequence[Port]) -> PydanticCustomError:
    names = [port.name for port in ports]
    index = next(each for each, name in enumerate(names) if name in names[:each])
    return _at(f"/ports/{index}/name", f"a second port is named {names[index]!r}")


def _values_of(part: type) -> Callable[[Any], tuple[object, ...]]:
    return attrgetter(*(field.name for field in dataclasses.fields(part)))


# The equal part that a record before had: owners, ports and states are the same in many.
_SHARED = tuple((part.__name__.lower(), _values_of(part)) for part in (Owner, Lifecycle, Health))
_PORT = _values_of(Port)
_PARTS: dict[tuple[str, object], Any] = {}
_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def revision_of(document: Mapping[str, Any]) -> str:
    """16 hex digits over a stored record; unlike `==`, it tells 1 from true and from 1.0."""
    return hashlib.sha256(_SORTED.encode(document).encode()).hexdigest()[:16]


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Each fault of a record, as pointer and words."""
    return tuple(_field_error(details) for details in error.errors(include_url=False))


def _field_error(details: ErrorDetails) -> FieldError:
    context = details.get("ctx", {})
    pointer = context.get("pointer") or json_pointer(details["loc"])
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] in ("value_error", NOT_FITTING):
        message = f"must be {message}" if message[:2] in ("a ", "an", "1 ") else message
    if details["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        message = "unknown key; free keys belong in metadata"
    if details["type"] == "dataclass_type":
        message = "must be an object"
    return FieldError(pointer, message)


def _at(pointer: str, message: str) -> PydanticCustomError:
    # Pydantic reads braces in the template, so the words travel as a value.
    return PydanticCustomError("between_fields", "{words}", {"words": message, "pointer": pointer})


_OPEN_PART = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _is_within_bounds(compact: bytes) -> bool:
    """Whether a part holds to `check_open_part`, by its compact JSON; what is in doubt does not.

    There is less white space than text. A number that is not finite stands there as a word.
    """
    return (
        0 < len(compact) <= METADATA_BYTES_MAX // 2
        and compact.count(b"{") + compact.count(b"[") <= NESTING_MAX
        and b"Infinity" not in compact
    )


def check_open_part(data: Any, pointer: str) -> str:
    """A free part as JSON, within its bounds: nesting, size, values that JSON can carry.

    Raises for Pydantic.
    """
    try:
        text = _OPEN_PART.encode(data)
    except (ValueError, TypeError, RecursionError):
        text = None
    # So few brackets cannot nest too deeply; else the levels are counted.
    is_flat = text is not None and text.count("{") + text.count("[") <= NESTING_MAX
    if not is_flat and _deeper_than(data, NESTING_MAX):
        raise _at(pointer, f"nested deeper than {NESTING_MAX} levels")
    try:
        text = text if text is not None else _OPEN_PART.encode(data)
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise _at(pointer, "a text holds half of a surrogate pair") from None
    except (ValueError, TypeError):
        raise _at(pointer, "a number is not finite, or a value is not JSON") from None
    if size_bytes > METADATA_BYTES_MAX:
        raise _at(pointer, f"{size_bytes} bytes; at most {METADATA_BYTES_MAX}")
    return text


def _deeper_than(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(_deeper_than(child, levels - 1) for child in children)
