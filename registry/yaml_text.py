"""YAML and JSON as people write them: values with the places of their parts, and text again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.representer import SafeRepresenter
from yaml.resolver import Resolver

from registry import json_text
from registry.yaml_nodes import (
    CORE_SCALARS,
    DEPTH_MAX,
    Loader,
    Place,
    YamlFault,
    node_at,
    place_of_node,
    value_of,
)

if TYPE_CHECKING:
    from yaml import SafeDumper as _FastDumper
else:
    _FastDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

__all__ = ["Document", "YamlFault", "dump", "parse_documents"]

_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAKS = re.compile(r"[\n\r\x85\u2028\u2029]")
_NO_WRAPPING = 1 << 30


@dataclass(frozen=True, slots=True)
class Document:
    """One value of a text. Parts that aliases share are one object: not to be changed."""

    value: Any
    locate: Callable[[Sequence[str | int]], Place]

    def place_of(self, path: Sequence[str | int]) -> Place:
        """Line and column, from 1, of the value at this path of keys and indexes.

        Of a missing one the place of its nearest parent; of an aliased one where it is written.
        """
        return self.locate(path)


def parse_documents(text: str) -> list[Document]:
    """Every document of a text of YAML 1.2, or the one value of a text of JSON.

    Only true, false, null, `~` and numbers are typed; keys are texts, each once. `!reset` gives
    null, and `!override` its value, as in compose files. Raises YamlFault.
    """
    text = text.removeprefix("\ufeff")
    document = _json_document(text)
    return [document] if document else list(_yaml_documents(text))


def dump(value: Any) -> str:
    """JSON values as YAML in block style, keys in the given order.

    Readers of YAML 1.1 and of 1.2 find the same values in it. Raises ValueError for half of a
    surrogate pair, which no text file can hold.
    """
    text = _dumped(value, _Fast)
    # libyaml escapes what lies beyond U+FFFF: emoji. PyYAML's own writer is slower, but does not.
    return _dumped(value, _Faithful) if "\\U" in text else text


def _dumped(value: Any, dumper: type[yaml.SafeDumper]) -> str:
    return yaml.dump(
        value,
        Dumper=dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_NO_WRAPPING,
    )


def _json_document(text: str) -> Document | None:
    """The document, when the text is JSON: a flow mapping of YAML may look alike.

    JSON is not quite YAML: an escaped surrogate pair is one character in JSON alone.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json_text.parse(text)
    except json_text.JsonFault:
        return None
    if _is_too_deep(value):
        return None  # the reader of YAML says so, with the place

    def locate(path: Sequence[str | int]) -> Place:
        offset = json_text.offset_of(text, [str(part) for part in path])
        return json_text.line_column(text, offset)

    return Document(value, locate)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [child for each in level for child in _children(each)]
    return bool(level)


def _children(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _yaml_documents(text: str) -> Iterator[Document]:
    try:
        loader = Loader(text)
        while loader.check_node():
            root = loader.get_node()
            assert root is not None  # check_node said so
            yield Document(value_of(root), _locator(root))
    except yaml.MarkedYAMLError as error:
        raise _marked(error) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _unprintable(text, str(error)) from error


def _locator(root: yaml.Node) -> Callable[[Sequence[str | int]], Place]:
    return lambda path: place_of_node(node_at(root, path))


def _marked(error: yaml.MarkedYAMLError) -> YamlFault:
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.problem, error.context) if part)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return YamlFault(message or "not YAML", line + 1, column + 1)


def _unprintable(text: str, message: str) -> YamlFault:
    found = _UNPRINTABLE.search(text)
    if found is None:
        return YamlFault(message, 1, 1)
    code = f"U+{ord(found.group()):04X}"
    place = json_text.line_column(text, found.start())
    return YamlFault(f"the character {code} cannot stand in YAML", *place)


class _Style(SafeRepresenter, Resolver):
    """What makes a PyYAML dumper one whose text every reader understands alike."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Fast(_Style, _FastDumper):
    """Writes by libyaml, where PyYAML has it."""


class _Faithful(_Style, yaml.SafeDumper):
    """Writes every character as it is."""


def _represent_text(style: _Style, text: str) -> yaml.ScalarNode:
    block = None
    if _LINE_BREAKS.search(text):
        block = "|" if _is_plain_block(text) else '"'
    return style.represent_scalar("tag:yaml.org,2002:str", text, style=block)


def _is_plain_block(text: str) -> bool:
    """Whether every character of a text of several lines can be seen in a block."""
    lines = text.removesuffix("\n").split("\n")
    ends_hidden = text[:1].isspace() or not lines[-1]
    return not ends_hidden and all(line.isprintable() and not line[-1:].isspace() for line in lines)


# The dumpers know the words of YAML 1.1 as PyYAML reads them; the ones of 1.2, and `y` and `n`,
# which others read as booleans, are quoted because of these.
for _tag, _pattern, _first in (
    *CORE_SCALARS,
    ("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]\Z"), list("yYnN")),
):
    _Style.add_implicit_resolver(_tag, _pattern, _first)
_Style.add_representer(str, _represent_text)
