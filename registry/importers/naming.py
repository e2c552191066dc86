"""Names for what had none: slugs, titles and port names, valid and each once."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

_SLUG_LENGTH_MAX = _PORT_NAME_LENGTH_MAX = 63


def slug_of(text: str, taken: Container[str] = ()) -> str:
    """The text as a slug that is not taken; of a taken one the next free number is added."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return _free(plain or "unnamed", taken, _SLUG_LENGTH_MAX)


def title_of(slug: str) -> str:
    """A slug as a name for people."""
    words = slug.replace("-", " ").strip()
    return words[:1].upper() + words[1:] or slug


def port_name_of(text: str, taken: Container[str] = ()) -> str:
    """The text as the name of a port that is not taken."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return _free(re.sub(r"^[^A-Za-z0-9]+", "", plain) or "port", taken, _PORT_NAME_LENGTH_MAX)


def _free(name: str, taken: Container[str], length_max: int) -> str:
    return next(each for each in _spellings(name, length_max) if each not in taken)


def _spellings(name: str, length_max: int) -> Iterator[str]:
    yield name[:length_max].rstrip("-")
    number = 2
    while True:
        ending = f"-{number}"
        yield name[: length_max - len(ending)].rstrip("-") + ending
        number += 1
