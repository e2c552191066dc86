"""YAML as nodes and the values they stand for: the core schema of YAML 1.2, within bounds.

PyYAML reads YAML 1.1, where `no` is false and `22:22` is 1342; here both stay text.
Source: YAML 1.2.2, section 10.3.2 (core schema); merge keys as in https://yaml.org/type/merge.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

if TYPE_CHECKING:
    from yaml import SafeLoader as _SafeLoader
else:
    # libyaml reads ten times as fast, but not every build of PyYAML has it.
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEPTH_MAX = 100
ALIASED_VALUES_MAX = 100_000
"""How many values aliases may add, so that a few lines cannot stand for billions."""

_CORE = "tag:yaml.org,2002:"
_MERGE, _TEXT = f"{_CORE}merge", f"{_CORE}str"
_RESET, _OVERRIDE = "!reset", "!override"  # of compose files: no value; this value alone
CORE_SCALARS: Sequence[tuple[str, re.Pattern[str], list[str]]] = (
    (f"{_CORE}null", re.compile(r"^(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    (f"{_CORE}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    (
        f"{_CORE}int",
        re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
        list("-+0123456789"),
    ),
    (
        f"{_CORE}float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
        list("-+.0123456789"),
    ),
)
"""What a plain scalar may be besides text: tag, pattern, first characters."""

Place: TypeAlias = tuple[int, int]


class YamlFault(ValueError):
    """Text that is not the YAML we take; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class CoreSchema(Resolver):
    """What makes a PyYAML loader one of the core schema, and bounds its nesting."""

    _levels = 0

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Called by the composer for each node: the place to stop before the C stack ends."""
        self._levels += 1
        if self._levels > DEPTH_MAX:
            message = f"nested deeper than {DEPTH_MAX} levels"
            raise YamlFault(message, *place_of_node(current_node))

    def ascend_resolver(self) -> None:
        """Called by the composer when a node is complete."""
        self._levels -= 1


CoreSchema.yaml_implicit_resolvers = {}  # without the ones of YAML 1.1
for _tag, _pattern, _first in (*CORE_SCALARS, (_MERGE, re.compile(r"^<<\Z"), ["<"])):
    CoreSchema.add_implicit_resolver(_tag, _pattern, _first)


class Loader(CoreSchema, _SafeLoader):
    """Composes the nodes of each document of a text; its own constructors are not used."""


@dataclass(frozen=True, slots=True)
class _Built:
    """The value of a node; how many values are in it, and how deep, with aliases followed."""

    value: Any
    size: int = 1
    depth: int = 1


def value_of(root: Node) -> Any:
    """The value that a document's node stands for. Raises YamlFault.

    An aliased part is one object in all its places: not to be changed.
    """
    return _Builder().built(root).value


def place_of_node(node: Node) -> Place:
    """Line and column, from 1, where a node begins."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def node_at(root: Node, path: Sequence[str | int]) -> Node:
    """The node at a path of keys and indexes, or its nearest parent that exists."""
    for part in path:
        child = _child(root, part)
        if child is None:
            break
        root = child
    return root


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node, SequenceNode):
        index = int(part) if str(part).isdecimal() else len(node.value)
        return node.value[index] if index < len(node.value) else None
    pairs = node.value if isinstance(node, MappingNode) else ()
    for key, value in pairs:
        if key.tag != _MERGE and key.value == part:
            return value  # type: ignore[no-any-return]
    merged = [value for key, value in pairs if key.tag == _MERGE]
    found = (_child(mapping, part) for value in merged for mapping in _mappings(value))
    return next((child for child in found if child is not None), None)


def _mappings(node: Node) -> Sequence[Node]:
    """The mappings that a merge key names, the winning one first."""
    return node.value if isinstance(node, SequenceNode) else (node,)


def _fault(message: str, node: Node) -> YamlFault:
    return YamlFault(message, *place_of_node(node))


class _Builder:
    """Builds each node once, however many aliases name it."""

    def __init__(self) -> None:
        self._known: dict[int, _Built | None] = {}
        self._parts: dict[int, dict[str, _Built]] = {}
        self._aliased = 0

    def built(self, node: Node) -> _Built:
        if id(node) in self._known:
            return self._again(node)
        self._known[id(node)] = None
        built = self._new(node)
        if built.depth > DEPTH_MAX:
            raise _fault(f"nested deeper than {DEPTH_MAX} levels", node)
        self._known[id(node)] = built
        return built

    def _again(self, node: Node) -> _Built:
        built = self._known[id(node)]
        if built is None:
            raise _fault("an alias names the very value that it stands in", node)
        self._aliased += built.size
        if self._aliased > ALIASED_VALUES_MAX:
            raise _fault(f"aliases add more than {ALIASED_VALUES_MAX} values", node)
        return built

    def _new(self, node: Node) -> _Built:
        if node.tag == _RESET:
            return _Built(None)
        if isinstance(node, MappingNode) and node.tag in (f"{_CORE}map", _OVERRIDE):
            return self._mapping(node)
        if isinstance(node, SequenceNode) and node.tag in (f"{_CORE}seq", _OVERRIDE):
            parts = [self.built(child) for child in node.value]
            return _joined([part.value for part in parts], parts)
        if isinstance(node, ScalarNode):
            return _Built(_scalar(node))
        raise _fault(f"the tag {_shown(node.tag)} is not known", node)

    def _mapping(self, node: MappingNode) -> _Built:
        own: dict[str, _Built] = {}
        merged: dict[str, _Built] = {}
        for key, child in node.value:
            if key.tag == _MERGE:
                merged = self._merged(child) | merged
                continue
            name = _key(key)
            if name in own:
                raise _fault(f"the key {name!r} stands twice in one mapping", key)
            own[name] = self.built(child)
        parts = self._parts[id(node)] = merged | own
        return _joined({name: part.value for name, part in parts.items()}, list(parts.values()))

    def _merged(self, node: Node) -> dict[str, _Built]:
        merged: dict[str, _Built] = {}
        for mapping in _mappings(node):
            self.built(mapping)
            if id(mapping) not in self._parts:
                raise _fault("'<<' takes a mapping, or a list of mappings", mapping)
            merged = self._parts[id(mapping)] | merged
        return merged


def _joined(value: Any, parts: Sequence[_Built]) -> _Built:
    size = 1 + sum(part.size for part in parts)
    return _Built(value, size, 1 + max((part.depth for part in parts), default=0))


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise _fault("a key is a text, not a list or a mapping", node)
    if node.tag != _TEXT:
        raise _fault(f"the key {node.value} is not a text: put it in quotes", node)
    return str(node.value)


def _scalar(node: ScalarNode) -> Any:
    text: str = node.value
    tag = _plain_tag(node) if node.tag == _OVERRIDE else node.tag
    if tag == _TEXT:
        return text
    pattern = next((known for name, known, _ in CORE_SCALARS if name == tag), None)
    if pattern is None:
        raise _fault(f"the tag {_shown(tag)} is not known", node)
    if not pattern.match(text):
        raise _fault(f"{text!r} is not what its tag {_shown(tag)} says", node)
    try:
        return _typed(tag.removeprefix(_CORE), text)
    except ValueError as error:  # an integer of thousands of digits
        raise _fault(str(error), node) from error


def _plain_tag(node: ScalarNode) -> str:
    if node.style:
        return _TEXT
    return next((tag for tag, pattern, _ in CORE_SCALARS if pattern.match(node.value)), _TEXT)


def _typed(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
