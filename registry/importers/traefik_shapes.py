"""Reading a parsed Traefik file of any shape: its keys are case-insensitive, its values anything.

Source: traefik paerser `parser/element_fill.go`, `file/raw_node.go`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_SHOWN_MAX = 80


class LeftOut(ValueError):
    """A part of the file that no record can carry; the message says why, for people."""


def shown(name: object) -> str:
    """A name from the file, fit to stand in a line for people."""
    text = str(name)[:_SHOWN_MAX]
    return text if text.isprintable() else ascii(text)[1:-1]


def field_of(part: Mapping[Any, Any], key: str) -> Any:
    """The value of a key in any case; None where there is none."""
    return next((v for k, v in part.items() if str(k).lower() == key.lower()), None)


def mapping_of(part: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
    """The mapping below a key, empty where there is none. Raises LeftOut for another shape."""
    return as_mapping({} if field_of(part, key) is None else field_of(part, key), key)


def as_mapping(value: object, what: str) -> Mapping[Any, Any]:
    """The value as a mapping. Raises LeftOut."""
    if not isinstance(value, Mapping):
        raise LeftOut(f"{what} is not a mapping")
    return value


def text_of(part: Mapping[Any, Any], key: str) -> str:
    """The text below a key. Raises LeftOut where there is none."""
    value = field_of(part, key)
    if not isinstance(value, str) or not value.strip():
        raise LeftOut(f"it has no {key}" if value is None else f"{key} is not a text")
    return value


def texts_of(part: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    """The list of texts below a key; one text is split at commas, as Traefik does it."""
    value = field_of(part, key)
    if value is None:
        return ()
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise LeftOut(f"{key} is not a list of texts")
    return tuple(item.strip() for item in items)


def is_off(value: object) -> bool:
    """Whether a value says no: false, or the text of it."""
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def other_keys(part: Mapping[Any, Any], known: Collection[str]) -> tuple[str, ...]:
    """The keys that say something, beside the known ones, in order."""
    lowered = {key.lower() for key in known}
    return tuple(
        shown(key) for key, value in part.items()
        if str(key).lower() not in lowered and value is not None
    )  # fmt: skip


def own_name(reference: str) -> str:
    """The name without `@file`. Raises LeftOut for a service or option of another provider."""
    name, _, provider = reference.partition("@")
    if provider not in ("", "file"):
        raise LeftOut(f"{shown(reference)} belongs to another provider")
    return name
