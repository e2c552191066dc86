"""A flag for every field of a record: one table, of which `create` and `update` are made."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from registry.errors import InvalidRecord

Kind = Literal["text", "list", "switch"]


class WrongFlag(typer.BadParameter):
    """A flag whose value cannot be used."""


@dataclass(frozen=True, slots=True)
class FieldFlag:
    """One flag. `path` is the field's place in the record."""

    path: tuple[str, ...]
    kind: Kind = "text"
    short: str | None = None
    help: str = ""

    @property
    def name(self) -> str:
        """The parameter's name: the path without what contains the router."""
        return "_".join(self.path[1:] if self.path[0] == "metadata" else self.path)

    @property
    def flags(self) -> list[str]:
        """As they are typed; a switch has its opposite."""
        long = "--" + self.name.replace("_", "-")
        off = [f"{long}/--no-{long[2:]}"] if self.kind == "switch" else [long]
        return [*off, *([self.short] if self.short else [])]


def _part(part: str, **fields: tuple[str | None, str]) -> tuple[FieldFlag, ...]:
    return tuple(
        FieldFlag((part, name), short=short, help=text) for name, (short, text) in fields.items()
    )


def _router(name: str, kind: Kind, text: str, *more: str, short: str | None = None) -> FieldFlag:
    return FieldFlag(("metadata", "router", name, *more), kind, short, text)


FIELDS: tuple[FieldFlag, ...] = (
    FieldFlag(("project_id",), short="--project", help="the workspace"),
    FieldFlag(("slug",), help="the readable name, unique"),
    FieldFlag(("name",), help="what people call it"),
    FieldFlag(("description",)),
    *_part(
        "host",
        hostname=("--hostname", "where the stack lives: a name or an address"),
        provider=("--provider", "who runs the machine"),
        region=("--region", ""),
        ip=("--ip", ""),
        notes=(None, ""),
    ),
    *_part(
        "owner", name=(None, "whom to ask"), email=(None, ""), slack=(None, ""), role=(None, "")
    ),
    *_part(
        "lifecycle",
        state=("--state", "planned, active, maintenance or retired"),
        notes=(None, ""),
    ),
    *_part(
        "health",
        status=(None, "unknown, healthy, degraded, maintenance or offline"),
        url=(None, "where its health can be asked"),
        checked_at=(None, "RFC 3339; now, when a status is given without it"),
        notes=(None, ""),
    ),
    _router("hostnames", "list", "host names that Traefik matches", short="--hostnames"),
    _router("entrypoints", "list", "such as web,websecure", short="--entrypoints"),
    _router("service_url", "text", "the upstream", short="--service-url"),
    _router("server_urls", "list", "several upstreams", short="--server-urls"),
    _router("port", "text", "the upstream is the port of this name"),
    _router("path_prefix", "text", "such as /reports", short="--path-prefix"),
    _router("strip_prefix", "switch", "take the prefix off before proxying"),
    _router("middlewares", "list", "existing Traefik middlewares", short="--middlewares"),
    _router("pass_host_header", "switch", "the upstream sees the client's Host"),
    _router("tls", "text", "a file in data/router/certs", "cert_file"),
    _router("tls", "text", "a file in data/router/certs", "key_file"),
    _router("tls", "list", "names of the certificate", "domains"),
)
_PORT = re.compile(r"^(?P<name>[\w.-]+):(?P<port>\d+)(/(?P<protocol>\w+))?(=(?P<url>\S+))?$")
Ports = Annotated[
    list[str] | None,
    typer.Option("--port", metavar="NAME:PORT[/PROTOCOL][=URL]", help="an exposed service"),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="POINTER=VALUE",
        help='any field, by its JSON pointer; nothing, or null, takes it away; "" is an empty text',
    ),
]


def with_field_flags(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with a parameter for each field, handed to it as `**fields`."""
    signature = inspect.signature(verb, eval_str=True)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    made = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(field),
        )
        for field in FIELDS
    ]
    verb.__signature__ = signature.replace(parameters=[*own, *made])  # type: ignore[attr-defined]
    verb.__annotations__ = {p.name: p.annotation for p in (*own, *made)}
    return verb


def _annotation(field: FieldFlag) -> Any:
    kinds: Mapping[Kind, Any] = {
        "text": str | None,
        "list": list[str] | None,
        "switch": bool | None,
    }
    text = f"{field.help}; commas or several times" if field.kind == "list" else field.help
    return Annotated[kinds[field.kind], typer.Option(*field.flags, help=text.lstrip("; "))]


@contextmanager
def naming_flags() -> Iterator[None]:
    """A record that breaks rules is refused with the flags of its fields at fault."""
    try:
        yield
    except InvalidRecord as error:
        flags = [flag for fault in error.errors if (flag := _flag_of(fault.pointer))]
        if flags:
            error.add_note(f"the flags for it: {', '.join(dict.fromkeys(flags))}")
        raise


def _flag_of(pointer: str) -> str | None:
    """The first flag that sets the field at a JSON pointer, or one within it."""
    keys = tuple(pointer.split("/")[1:])
    found = (field for field in FIELDS if keys and field.path[: len(keys)] == keys)
    return next((field.short or field.flags[0] for field in found), None)


def patch_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch of the flags that were given; an empty text takes a field away."""
    patch: dict[str, Any] = {}
    for field in FIELDS:
        value = given.get(field.name)
        if value is None:
            continue
        part = patch
        for key in field.path[:-1]:
            part = part.setdefault(key, {})
        part[field.path[-1]] = _value(field, value)
    return patch


def _value(field: FieldFlag, value: Any) -> Any:
    if field.kind == "list":
        return [word for text in value for word in text.replace(",", " ").split()]
    return None if value == "" else value


def with_ports(record: dict[str, Any], texts: Sequence[str]) -> None:
    """Put these ports into the record; one of the same name is replaced. Raises WrongFlag."""
    ports = {port["name"]: port for port in record.get("ports") or ()}
    named = set()
    for text in texts:
        found = _PORT.match(text)
        if found is None:
            raise WrongFlag(f"--port {text!r}: write NAME:PORT, NAME:PORT/PROTOCOL or …=URL")
        given = {key: value for key, value in found.groupdict().items() if value is not None}
        if given["name"] in named:
            raise WrongFlag(f"--port {text!r}: {given['name']!r} is given twice; names are unique")
        named.add(given["name"])
        ports[given["name"]] = {**ports.get(given["name"], {}), **given, "port": int(given["port"])}
    record["ports"] = list(ports.values())


def with_values(record: dict[str, Any], texts: Sequence[str]) -> None:
    """Put each `pointer=value` into the record; `-` appends to a list.

    null, or nothing after the `=`, takes a key away. Raises WrongFlag.
    """
    # Imported here: `--help` need not wait for what names need.
    from registry.names import pointer_path

    for text in texts:
        pointer, equals, value = text.partition("=")
        if not equals or not pointer.startswith("/"):
            raise WrongFlag(f"--set {text!r}: write POINTER=VALUE, such as /metadata/team=blue")
        try:
            _assign(record, pointer_path(pointer), _json_or_text(value), text)
        except _NotFinite as error:
            reason = f"{error} is no number of JSON; in quotes it is text"
            raise WrongFlag(f"--set {text!r}: {reason}") from error


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_finite, parse_float=_finite) if value else None
    except _NotFinite:
        raise
    except ValueError:
        return value


class _NotFinite(ValueError):
    """A number that JSON does not have: NaN, Infinity, or one that is too large."""


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotFinite(text)
    return number


def _assign(record: Any, keys: Sequence[str], value: Any, text: str) -> None:
    *inner, last = keys
    part = record
    for key in inner:
        if isinstance(part, list):
            part = part[_index(key, part, text)]
        else:
            if not isinstance(part.get(key), dict | list):
                part[key] = {}
            part = part[key]
    if isinstance(part, list):
        if last == "-":
            part.append(value)
        else:
            part[_index(last, part, text)] = value
    elif value is None:
        part.pop(last, None)
    else:
        part[last] = value


def _index(key: str, items: Sequence[Any], text: str) -> int:
    if not key.isascii() or not key.isdigit() or int(key) >= len(items):
        raise WrongFlag(f"--set {text!r}: the list has {len(items)} items, counted from 0")
    return int(key)
