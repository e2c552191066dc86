"""The catalogue as text: found apart, put together, and what nobody changed kept to the letter."""

from __future__ import annotations

import json

import pytest

from registry.engines.catalogue_text import EMPTY, indented, join, split
from registry.errors import CatalogueUnreadable

HAND_MADE = """\ufeff
{ "$schema" : "./schema.json",
  "version": 1,   "team": {"a" : [1,2]},
  "environments": [
      {"slug":   "one",
         "n": 1.50},

   {"slug": "two"} , {"slug":"three"}
  ],
  "notes": "kept ] to the { letter"  }

"""


def records(text: str) -> list[str]:
    """The records' texts."""
    return [text[start:end] for start, end in split(text, "c.json").spans]


def unreadable(text: str) -> CatalogueUnreadable:
    """The error that a text is refused with."""
    with pytest.raises(CatalogueUnreadable) as raised:
        split(text, "c.json")
    return raised.value


def test_an_object_with_environments_is_read() -> None:
    text = '{"version": 1, "environments": [{"a": 1}, {"b": [2]}]}'
    assert records(text) == ['{"a": 1}', '{"b": [2]}']


def test_a_bare_list_is_read_and_stays_one() -> None:
    text = '[\n  {"a": 1}\n]\n'
    assert records(text) == ['{"a": 1}']
    catalogue = split(text, "c.json")
    written = join(catalogue, [*records(text), indented('{\n  "b": 2\n}', catalogue)])
    assert written == '[\n  {"a": 1},\n  {\n    "b": 2\n  }\n]\n'


def test_an_object_without_a_version_is_read() -> None:
    assert records('{"environments": []}') == []


@pytest.mark.parametrize("version", ["2", "0", '"1"', "null", "[1]", "{}"])
def test_an_unknown_version_is_unreadable(version: str) -> None:
    error = unreadable(f'{{"environments": [],\n "version": {version}}}')
    assert (error.facts["line"], error.facts["column"]) == (2, 13)
    assert "version" in error.detail


@pytest.mark.parametrize("version", ["true", "1.0"])
def test_a_version_that_only_equals_one_is_unreadable(version: str) -> None:
    assert "version" in unreadable(f'{{"version": {version}, "environments": []}}').detail


def test_whatever_is_no_record_survives_to_the_letter() -> None:
    catalogue = split(HAND_MADE, "c.json")
    written = join(catalogue, records(HAND_MADE))
    before, _, after = HAND_MADE.partition('"environments": [')
    assert written.startswith(f'{before}"environments": [')
    assert written.endswith(after[after.index("],") :].rstrip() + "\n")
    assert records(written) == records(HAND_MADE)


def test_a_record_that_nobody_changed_is_kept_to_the_letter() -> None:
    one, _, three = records(HAND_MADE)
    catalogue = split(HAND_MADE, "c.json")
    written = join(catalogue, [one, indented('{\n  "slug": "new"\n}', catalogue), three])
    assert records(written) == [one, '{\n      "slug": "new"\n    }', three]
    assert '{"slug":   "one",\n         "n": 1.50}' in written


def test_writing_twice_is_writing_once() -> None:
    once = join(split(HAND_MADE, "c.json"), records(HAND_MADE))
    assert join(split(once, "c.json"), records(once)) == once


def test_the_file_is_written_with_two_spaces_a_level_and_a_final_newline() -> None:
    catalogue = split(EMPTY, "c.json")
    texts = [
        json.dumps({"slug": slug, "host": {"ü": 1}}, indent=2, ensure_ascii=False) for slug in "ab"
    ]
    written = join(catalogue, [indented(text, catalogue) for text in texts])
    expected = {"version": 1, "environments": [{"slug": s, "host": {"ü": 1}} for s in "ab"]}
    assert written == json.dumps(expected, indent=2, ensure_ascii=False) + "\n"
    assert join(split(written, "c.json"), []) == EMPTY


@pytest.mark.parametrize("cut", range(1, len(HAND_MADE.rstrip()) - 1))
def test_a_torn_text_is_unreadable_wherever_it_was_torn(cut: int) -> None:
    error = unreadable(HAND_MADE[:cut])
    assert error.facts["line"] >= 1
    assert error.facts["column"] >= 1
    assert error.detail.startswith("c.json:")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        (" \n\t", 2, 2),
        ("null", 1, 1),
        ('"text"', 1, 1),
        ('{"version": 1}', 1, 1),
        ('{"environments": {}}', 1, 18),
        ('{"environments": null}', 1, 18),
        ('{"environments": [],\n}', 1, 20),
        ('{"environments": [{},\n]}', 1, 21),
        ('{"environments": [{} {}]}', 1, 22),
        ('{"environments": []} x', 1, 22),
        ("[]\n[]", 2, 1),
        ('{"environments": [],\n "environments": []}', 2, 2),
        ('{"a": 1, "environments": [],\n "a": 2}', 2, 2),
        ('{"environments" []}', 1, 17),
        ("{environments: []}", 1, 2),
        ('{"environments": [{"a": NaN}]}', 1, 19),
        ('{"environments": [{"a": 1,}]}', 1, 27),
    ],
)
def test_what_is_no_catalogue_is_unreadable_with_its_place(
    text: str, line: int, column: int
) -> None:
    error = unreadable(text)
    assert (error.facts["line"], error.facts["column"]) == (line, column)
    assert error.facts["source"] == "c.json"


def test_an_item_may_be_any_json_since_each_is_judged_on_its_own() -> None:
    assert records('[null, 1, "x", [], {"a": 1, "a": 2}]') == [
        "null",
        "1",
        '"x"',
        "[]",
        '{"a": 1, "a": 2}',
    ]
