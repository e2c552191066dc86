"""The history's lines, read no further than somebody asks.

A start reads every line that is kept, and needs of most of them who changed, and the text that it
became. That text is taken apart only where the catalogue has another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic_core import to_json

from registry.revisions import Revision, from_line
from registry.schema import Environment, revision_of

# As `to_line` writes it; a line that looks otherwise is parsed whole.
_HEAD = re.compile(
    rb'\{"revision":(\d{1,18}),"at":"[\d:.TZ+-]+","actor":"[^"\\]*(?:\\.[^"\\]*)*",'
    rb'"source":"([a-z ]+)",'
    rb'"environment_id":"([a-z0-9-]+)",(?:"tags":\[((?:"\w+",?)*)\],)?"before":'
)
_TAG = re.compile(r"\w+")
_NOTHING_BEFORE = b'null,"after":'
_AFTER = ',"after":'
_ENVIRONMENT = re.compile(rb'\{"environment_id":"([a-z0-9-]+)",')
_BEGIN = re.compile(rb'\{"revision":(\d+),"environments":\[\n')
_END = b"\n]}\n"
_SCANNER = json.JSONDecoder()


class Glance(NamedTuple):
    """What a line says at first sight; `after` is compact JSON that nobody has parsed."""

    revision: int
    source: str
    environment_id: str
    after: bytes | None


def glance(line: bytes) -> Glance | None:
    """A line at first sight; None when it is torn, or noise."""
    head = _HEAD.match(line)
    after = _after(line, head.end()) if head and line.endswith(b"}\n") else None
    if head is None or after is None:
        return _at_length(line)
    kept = None if after == b"null" else after
    return Glance(int(head[1]), head[2].decode(), head[3].decode(), kept)


def compact(document: Mapping[str, Any]) -> bytes:
    """A document as lines and the kept state have it."""
    return to_json(document)


def record_of(text: bytes) -> Environment:
    """The record of a compact text. Raises ValueError."""
    try:
        return Environment.model_validate(json.loads(text))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def tags_of(revision: Revision) -> Collection[str]:
    """The entity tags of both its states; lines of before tags were kept have them computed."""
    states = (revision.before, revision.after)
    return revision.tags or [revision_of(state) for state in states if state is not None]


def tags_in(line: bytes) -> tuple[str, Collection[str]] | None:
    """Whose states a line has, and their entity tags; None when it is torn, or noise."""
    head = _HEAD.match(line)
    if head and head[4] and line.endswith(b"}\n"):
        return head[3].decode(), _TAG.findall(head[4].decode())
    revision = from_line(line)
    return (revision.environment_id, tags_of(revision)) if revision else None


def lines_about(content: bytes, environment_id: str) -> Iterator[bytes]:
    """The lines of a file in which an id stands anywhere, each once."""
    pattern = re.compile(rb'"environment_id"\s*:\s*"%b"' % re.escape(environment_id.encode()))
    at = 0
    while (found := pattern.search(content, at)) is not None:
        start = content.rfind(b"\n", 0, found.start()) + 1
        at = content.find(b"\n", found.end()) + 1 or len(content)
        yield content[start:at]


def state_text(revision: int, texts: Collection[bytes]) -> bytes:
    """The kept state: JSON, with each record's compact text on a line of its own."""
    return b'{"revision":%d,"environments":[\n%b%b' % (revision, b",\n".join(texts), _END)


def kept_state(content: bytes) -> tuple[int, dict[str, bytes]]:
    """The revision of a kept state, and its texts by `environment_id`, in order.

    Raises ValueError, KeyError or TypeError when it is none.
    """
    begin = _BEGIN.match(content)
    if begin is None or not content.endswith(_END):
        return _parsed_state(content)
    body = content[begin.end() : -len(_END)]
    texts: dict[str, bytes] = {}
    for text in body.split(b",\n") if body else ():
        name = _ENVIRONMENT.match(text)
        if name is None or not text.endswith(b"}"):
            return _parsed_state(content)
        texts[name[1].decode()] = text
    return int(begin[1]), texts


def _parsed_state(content: bytes) -> tuple[int, dict[str, bytes]]:
    """Of a file from before each record had its line, or that a person laid out."""
    try:
        kept = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    texts = {each["environment_id"]: compact(each) for each in kept["environments"]}
    return int(kept["revision"]), texts


def _after(line: bytes, start: int) -> bytes | None:
    if line.startswith(_NOTHING_BEFORE, start):
        return line[start + len(_NOTHING_BEFORE) : -2]
    try:
        rest = line[start:-2].decode()
        _, end = _SCANNER.raw_decode(rest)
    except (ValueError, RecursionError):
        return None
    return rest[end + len(_AFTER) :].encode() if rest.startswith(_AFTER, end) else None


def _at_length(line: bytes) -> Glance | None:
    revision = from_line(line)
    if revision is None:
        return None
    after = None if revision.after is None else compact(revision.after)
    return Glance(revision.revision, revision.author.source, revision.environment_id, after)
