"""JSON as text: strict parsing, and where a value stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.json_text import (
    DuplicateKey,
    JsonFault,
    line_column,
    object_end,
    offset_of,
    parse,
    parse_compactly,
    value_end,
)
from tests.unit.strategies import json_values

TEXT = """{
  "name": "dev", "ports": [
    {"port": 80, "name": "web"},
    { "port" : 81 }
  ],
  "a/b": {"ü": [1, [2, 3]], "": null}
}"""


def place(*path: str) -> tuple[int, int]:
    """Line and column of a value of TEXT."""
    return line_column(TEXT, offset_of(TEXT, path))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), (1, 1)),
        (("name",), (2, 11)),
        (("ports",), (2, 27)),
        (("ports", "0"), (3, 5)),
        (("ports", "0", "name"), (3, 26)),
        (("ports", "1", "port"), (4, 16)),
        (("a/b", "ü", "1", "0"), (6, 21)),
        (("a/b", ""), (6, 33)),
    ],
)
def test_a_value_is_found_by_line_and_column(
    path: tuple[str, ...], expected: tuple[int, int]
) -> None:
    assert place(*path) == expected


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        (("owner",), ()),
        (("ports", "0", "url"), ("ports", "0")),
        (("ports", "7"), ("ports",)),
        (("ports", "0", "url", "deeper"), ("ports", "0")),
        (("name", "first"), ("name",)),
    ],
)
def test_a_missing_value_is_said_to_be_where_its_parent_begins(
    path: tuple[str, ...], parent: tuple[str, ...]
) -> None:
    assert place(*path) == place(*parent)


def test_of_a_key_that_stands_twice_the_last_one_counts() -> None:
    text = '{"a": 1, "a": 2}'
    assert text[offset_of(text, ["a"])] == "2"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "x": 2, "a": 3}}]'])
def test_a_key_that_stands_twice_is_a_fault_of_its_own(text: str) -> None:
    with pytest.raises(DuplicateKey, match='the key "a" stands twice'):
        parse(text)


def test_one_key_in_two_objects_is_no_duplicate() -> None:
    assert parse('{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}')["b"] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("  ", 2),
        ("{", 1),
        ('{"a": }', 6),
        ("[1, 2] 3", 7),
        ('{"a": 1}}', 8),
        ("{'a': 1}", 1),
        ('"open', 0),
        ("[1 2]", 3),
        ("tru", 0),
    ],
)
def test_what_is_not_json_is_a_fault_with_its_place(text: str, offset: int) -> None:
    with pytest.raises(JsonFault) as raised:
        parse(text)
    assert raised.value.offset == offset


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1" * 5000])
def test_numbers_that_json_does_not_know_are_a_fault(text: str) -> None:
    with pytest.raises(JsonFault):
        parse(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_what_is_nested_too_deeply_is_a_fault(text: str) -> None:
    with pytest.raises(JsonFault):
        parse(text)


def test_a_byte_order_mark_is_no_white_space() -> None:
    with pytest.raises(JsonFault):
        parse("\ufeff{}")


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1))]
)
def test_lines_and_columns_begin_at_one(offset: int, expected: tuple[int, int]) -> None:
    assert line_column("ab\n\nc", offset) == expected


def test_the_end_of_a_value_is_found_whatever_follows() -> None:
    assert value_end('[1, "]"], 2', 0) == 8
    assert value_end('{"a": 1, "a": 1}', 0) == 16


@settings(max_examples=100, derandomize=True)
@given(json_values)
def test_what_json_writes_is_read_back(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        assert parse(f" \n{text}\t") == value
        assert value_end(text, 0) == len(text)


@given(json_values)
def test_the_quick_way_gives_the_same_value_and_its_text(value: object) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        parsed, compact = parse_compactly(text)
    except JsonFault:
        with pytest.raises(JsonFault):
            parse(text)
        return
    assert repr(parsed) == repr(parse(text))
    assert not compact or repr(json.loads(compact)) == repr(parsed)


@pytest.mark.parametrize(
    "text",
    ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1, "a": 2}', '{"a": 01}', "{} {}", "", '{"a": "\t"}'],
)
def test_the_quick_way_refuses_what_the_careful_one_does(text: str) -> None:
    with pytest.raises(JsonFault) as careful:
        parse(text)
    with pytest.raises(JsonFault) as quick:
        parse_compactly(text)
    assert str(quick.value) == str(careful.value)


@given(st.dictionaries(st.text(), json_values), st.sampled_from(["", ",", "\n    }", "]}"]))
def test_an_object_ends_at_its_closing_line_or_is_in_doubt(
    value: dict[str, object], after: str
) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n    ") + after
    assert object_end(text, 0, "\n    }") in (None, value_end(text, 0))


@pytest.mark.parametrize(
    "inside", ['"a": NaN', '"a": -Infinity', '"a": 01', '"a": 1,', '"a": {', '"a": "}', '"a": 1}']
)
def test_where_an_object_ends_is_in_doubt_unless_it_is_whole(inside: str) -> None:
    assert object_end(f"{{\n{inside}\n}}", 0, "\n}") is None
