"""What a compose service says of itself, in `routebook.*` labels and under `x-routebook:`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from registry.schema import HealthStatus, State

PREFIX = "routebook."
EXTENSION = "x-routebook"
_METADATA = "metadata."


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one service, dotted and typed, and remarks on those that are not known."""

    values: Mapping[str, Any]
    remarks: tuple[str, ...]

    def under(self, section: str) -> dict[str, Any]:
        """The words that begin with `section.`, without it."""
        start = f"{section}."
        return {
            word.removeprefix(start): value
            for word, value in self.values.items()
            if word.startswith(start)
        }

    def only(self, *names: str) -> dict[str, Any]:
        """Those of these words that are given, in this order."""
        return {name: self.values[name] for name in names if name in self.values}


def words_of(service: Mapping[str, Any]) -> Words | None:
    """The words of a service, labels over the extension; None if it has neither.

    A word with an empty value counts as not given. Raises ValueError that names the word.
    """
    labels = {
        name.removeprefix(PREFIX): value
        for name, value in _labels(service.get("labels"))
        if name.startswith(PREFIX)
    }
    if EXTENSION not in service and not labels:
        return None
    in_labels = _one_spelling(labels.items())
    given = {**_one_spelling(_flat(_extension(service), "")), **in_labels}
    known = {word: value for word, value in given.items() if _kind(word) is not None}
    remarks = tuple(
        _unknown(word, PREFIX if word in in_labels else f"{EXTENSION}.")
        for word in given
        if word not in known
    )
    return Words({word: _typed(word, value) for word, value in known.items()}, remarks)


def _labels(labels: Any) -> Iterator[tuple[str, str]]:
    if isinstance(labels, Mapping):
        for name, value in labels.items():
            yield str(name), _label_text(value)
    elif isinstance(labels, list):
        for label in labels:
            name, _, value = _label_text(label).partition("=")
            yield name, value
    elif labels is not None:
        raise ValueError("labels: must be a mapping or a list of 'name=value'")


def _label_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    raise ValueError("labels: each must be a text")


def _extension(service: Mapping[str, Any]) -> Mapping[str, Any]:
    extension = service.get(EXTENSION)
    if extension is None:
        return {}
    if not isinstance(extension, Mapping):
        raise ValueError(f"{EXTENSION}: must be a mapping")
    return extension


def _flat(section: Mapping[str, Any], start: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        word = f"{start}{name}"
        if isinstance(value, Mapping) and not word.startswith(_METADATA):
            yield from _flat(value, f"{word}.")
        else:
            yield word, value


def _one_spelling(pairs: Any) -> dict[str, Any]:
    found = {"lifecycle.state" if word == "lifecycle" else word: value for word, value in pairs}
    return {word: value for word, value in found.items() if value is not None and value != ""}


def _unknown(word: str, start: str) -> str:
    shown = f"the word '{start}{word}'"
    if _is_router(word):
        return f"{shown} is not read; the words of the router stand by themselves"
    near = difflib.get_close_matches(word, WORDS, n=3, cutoff=0.6)
    near += [known for known in WORDS if known.startswith(f"{word}.") and known not in near]
    return f"{shown} is not known" + (f"; near it: {', '.join(near)}" if near else "")


def _kind(word: str) -> Callable[[Any], Any] | None:
    kind = WORDS.get(word)
    if kind is None and word.startswith(_METADATA) and not _is_router(word):
        return _as_it_is
    return kind


def _is_router(word: str) -> bool:
    return word == f"{_METADATA}router" or word.startswith(f"{_METADATA}router.")


def _typed(word: str, value: Any) -> Any:
    kind = _kind(word) or _as_it_is
    try:
        return kind(value)
    except ValueError as error:
        raise ValueError(f"{word}: {error}, not {value!r}") from error


def _as_it_is(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("must be a text")


def _texts(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError("must be a list of texts, or one text with commas")
    return [part.strip() for part in parts if part.strip()]


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise ValueError("must be true or false")
    return word == "true"


def _port(value: Any) -> int:
    digits = str(value).strip()
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else 0
    if not 1 <= number <= 65535:
        raise ValueError("must be a container's port, 1 to 65535")
    return number


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def choose(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return choose


WORDS: Mapping[str, Callable[[Any], Any]] = {
    "enable": _flag,
    **dict.fromkeys(("slug", "name", "description", "environment_id", "project_id"), _text),
    **dict.fromkeys(("hostnames", "entrypoints", "middlewares", "server_urls"), _texts),
    **dict.fromkeys(("path_prefix", "service_url"), _text),
    **dict.fromkeys(("strip_prefix", "pass_host_header"), _flag),
    "port": _port,
    **dict.fromkeys(("tls.cert_file", "tls.key_file"), _text),
    "tls.domains": _texts,
    "lifecycle.state": _one_of(get_args(State)),
    "lifecycle.notes": _text,
    "health.status": _one_of(get_args(HealthStatus)),
    **dict.fromkeys(("health.url", "health.notes"), _text),
    **dict.fromkeys(("owner.name", "owner.email", "owner.slack", "owner.role"), _text),
    **dict.fromkeys(("host.hostname", "host.ip", "host.notes"), _text),
    **dict.fromkeys(("host.provider", "host.region"), _text),
    "metadata.dns_zones": _texts,
}
"""Every word and how its value is read; besides these, `metadata.<any key>` and `lifecycle`."""
