"""YAML and JSON as people write them: what is text, what is typed, where it stands, and back."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry import yaml_nodes, yaml_text
from registry.yaml_text import YamlFault, dump, parse_documents

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
# Words that some reader of YAML takes for something else than text.
TRICKY = st.sampled_from(
    """no on y N ~ null true .inf .nan 1e3 0o17 0777 1_000 0b1 22:22 190:20:30 2026-11-23 = << ?
    2026-11-23T09:30:00Z - -- --- ... !x &a *a # 'a "a %a @a `a a:b {} [] |- > +1 -.5""".split()  # noqa: SIM905
) | st.text("a -:#\n\t'\"|\\😀", max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | TRICKY
)
VALUES = st.recursive(
    SCALARS,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(TEXTS | TRICKY, children, max_size=4)
    ),
    max_leaves=20,
)


class PurePythonLoader(yaml_nodes.CoreSchema, yaml.SafeLoader):
    """What `Loader` is where PyYAML was built without libyaml."""


def parsed(text: str) -> Any:
    """The one value of a text."""
    (document,) = parse_documents(text)
    return document.value


def fault(text: str) -> YamlFault:
    """What is wrong with a text."""
    with pytest.raises(YamlFault) as caught:
        parse_documents(text)
    return caught.value


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "on",
        "Yes",
        "y",
        "22:22",
        "2026-11-23",
        "2026-11-23T09:30:00Z",
        "1_000",
        "0b1",
        "=",
        "tRue",
    ],
)
def test_what_only_yaml_1_1_types_stays_text(word: str) -> None:
    assert parsed(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("8080", 8080),
        ("-7", -7),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("'8080'", "8080"),
        ('"null"', "null"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
    ],
)
def test_only_the_scalars_of_the_core_schema_are_typed(written: str, value: Any) -> None:
    result = parsed(f"a: {written}")["a"]
    assert (result, type(result)) == (value, type(value))


def test_a_value_that_is_not_a_number_is_read_as_one() -> None:
    assert str(parsed("a: .nan")["a"]) == "nan"


def test_an_own_key_wins_over_a_merged_one_and_the_first_merged_mapping_over_the_next() -> None:
    text = """
    one: &one {a: 1, b: 1}
    two: &two {b: 2, c: 2}
    both: {<<: [*one, *two], a: 3}
    single:
      <<: *two
      d: 4
    """
    value = parsed(text)
    assert value["both"] == {"a": 3, "b": 1, "c": 2}
    assert value["single"] == {"b": 2, "c": 2, "d": 4}


def test_a_merge_of_what_is_no_mapping_is_a_fault() -> None:
    assert "'<<' takes a mapping" in str(fault("a: &a [1]\nb: {<<: *a}"))


def test_a_quoted_merge_sign_is_a_key_like_others() -> None:
    assert parsed('{"<<": 1, b: 2}') == {"<<": 1, "b": 2}


def test_compose_files_may_reset_and_override() -> None:
    text = """
    ports: !reset [80]
    labels: !override {a: b}
    list: !override [1]
    number: !override 1
    text: !override '1'
    """
    assert parsed(text) == {
        "ports": None,
        "labels": {"a": "b"},
        "list": [1],
        "number": 1,
        "text": "1",
    }


@pytest.mark.parametrize(
    "written", ["!env HOME", "!!binary YQ==", "!!set {a}", "!!python/name:os.system", "!vault [a]"]
)
def test_any_other_tag_is_a_fault(written: str) -> None:
    wrong = fault(f"a: 1\nb: {written}")
    assert "tag" in str(wrong)
    assert (wrong.line, wrong.column) == (2, 4)


def test_text_that_its_tag_does_not_fit_is_a_fault() -> None:
    assert "!!int" in str(fault("a: !!int ten"))
    assert "!!map" in str(fault("a: !!map ten"))


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", '{"a": 1,\n"b": 2,\n"a": 3}'])
def test_a_key_twice_is_a_fault_at_the_second_one(text: str) -> None:
    wrong = fault(text)
    assert "'a' stands twice" in str(wrong)
    assert (wrong.line, wrong.column) == (3, 1)


@pytest.mark.parametrize("key", ["80", "true", "~", "1.5", "[a]", "{a: b}", "? [a]\n"])
def test_a_key_that_is_no_text_is_a_fault(key: str) -> None:
    assert "key" in str(fault(f"a:\n  {key}: 1"))


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\n\tb: 2", 2, 1),
        ("a: [1,\n  ü: @]", 2, 6),
        ("a: b: c", 1, 5),
        ("a: *gone", 1, 4),
        ("a: 1\nb: \x07", 2, 4),
        ("a: 1\nb: \ud800", 2, 4),
        ('{"a": 1,\n "b" 2}', 2, 6),
    ],
)
def test_a_fault_says_where_it_is(text: str, line: int, column: int) -> None:
    wrong = fault(text)
    assert (wrong.line, wrong.column) == (line, column)
    assert "\n" not in str(wrong)


def test_a_text_holds_any_number_of_documents() -> None:
    assert parse_documents("") == []
    assert parse_documents("# nothing\n") == []
    assert [each.value for each in parse_documents("a: 1\n---\n- 2\n---\n")] == [
        {"a": 1},
        [2],
        None,
    ]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parsed("\ufeffa: 1") == {"a": 1}
    assert parsed('\ufeff{"a": 1}') == {"a": 1}


def test_json_is_read_as_json() -> None:
    value = {"emoji": "\U0001f600", "slash": "a/b", "line": "a\u2028b", "no": [True, None, 1.5]}
    assert parsed(json.dumps(value).replace("/", "\\/")) == value
    assert parsed("\n" + json.dumps(value, indent="\t", ensure_ascii=False)) == value


def test_what_only_looks_like_json_is_read_as_yaml() -> None:
    assert parsed("{a: b, 'c': [1, 2,],}") == {"a": "b", "c": [1, 2]}
    assert parsed("[1]  # one") == [1]


def test_every_value_has_its_place() -> None:
    text = "a: 1\nlist:\n- x: 1\n  y: {z: [10, 20]}\n- ü\n"
    (document,) = parse_documents(text)
    assert document.place_of([]) == (1, 1)
    assert document.place_of(["a"]) == (1, 4)
    assert document.place_of(["list", 0, "y", "z", 1]) == (4, 15)
    assert document.place_of(["list", "1"]) == (5, 3)


def test_what_is_missing_is_placed_at_its_nearest_parent() -> None:
    (document,) = parse_documents("a: 1\nb:\n  c: [1]\n")
    assert document.place_of(["b", "gone", "deeper"]) == (3, 3)
    assert document.place_of(["b", "c", 7]) == (3, 6)
    assert document.place_of(["a", "below"]) == (1, 4)


def test_a_merged_value_is_placed_where_it_is_written() -> None:
    (document,) = parse_documents("base: &b\n  x: 1\nown:\n  <<: *b\n  y: 2\n")
    assert document.place_of(["own", "x"]) == (2, 6)
    assert document.place_of(["own", "y"]) == (5, 6)


def test_a_document_of_json_has_places_too() -> None:
    (document,) = parse_documents('{"a": 1,\n "b": [{"c": 2}]}')
    assert document.place_of(["b", 0, "c"]) == (2, 14)
    assert document.place_of(["b", 1]) == (2, 7)


def test_each_document_of_a_text_has_its_own_places() -> None:
    first, second = parse_documents("a: 1\n---\n\na: 2\n")
    assert (first.place_of(["a"]), second.place_of(["a"])) == ((1, 4), (4, 4))


@pytest.mark.parametrize(
    "reference", ["[{0},{0},{0},{0},{0},{0},{0},{0},{0}]", "{{<<: [{0}], x: {0}, y: {0}, z: {0}}}"]
)
def test_a_few_lines_of_aliases_cannot_stand_for_billions_of_values(reference: str) -> None:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {reference.format(f'*a{n - 1}')}" for n in range(1, 40)]
    assert "aliases add more than" in str(fault("\n".join(lines)))


def test_the_aliases_that_people_write_are_within_bounds() -> None:
    base = "x: &x {" + ", ".join(f"k{n}: {n}" for n in range(50)) + "}\n"
    text = base + "".join(f"s{n}: {{<<: *x, own: {n}}}\n" for n in range(500))
    assert parsed(text)["s499"]["k49"] == 49


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: [*a]}", "a: &a {<<: *a}"])
def test_a_value_within_itself_is_a_fault(text: str) -> None:
    assert "the very value that it stands in" in str(fault(text))


@pytest.mark.parametrize("loader", [yaml_nodes.Loader, PurePythonLoader])
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", '{"a": [', "? "])
def test_nesting_is_bounded(opening: str, loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "Loader", loader)
    assert "nested deeper than 100 levels" in str(fault(opening * 20_000))


def test_nesting_through_aliases_is_bounded_too() -> None:
    lines = ["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    assert "nested deeper than 100 levels" in str(fault("\n".join(lines)))


def test_json_is_nested_as_deep_as_yaml_and_no_deeper() -> None:
    assert parsed("[" * 100 + "]" * 100)
    assert "nested deeper than 100 levels" in str(fault("[" * 102 + "]" * 102))


def test_a_number_of_thousands_of_digits_is_a_fault() -> None:
    assert fault("a: " + "9" * 5000).line == 1


@pytest.mark.parametrize("text", ["a: no\nb: [1e3, x]\nc: !reset\n", "<<: {a: 1}\nb: ~\n"])
def test_both_of_pyyaml_s_loaders_read_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parsed(text)
    monkeypatch.setattr(yaml_text, "Loader", PurePythonLoader)
    assert parsed(text) == fast


@given(VALUES)
def test_what_is_dumped_is_read_back_the_same(value: Any) -> None:
    text = dump(value)
    assert parsed(text) == value
    assert yaml.safe_load(text) == value


@given(VALUES)
def test_numbers_and_booleans_keep_their_kind_when_dumped(value: Any) -> None:
    assert json.dumps(parsed(dump(value))) == json.dumps(value)


@given(st.text())
def test_no_text_breaks_the_reader_in_another_way_than_by_a_fault(text: str) -> None:
    with contextlib.suppress(YamlFault):
        parse_documents(text)


@pytest.mark.parametrize(
    "word", ["no", "y", "~", "1e3", "0o17", "22:22", "2026-11-23", "=", "<<", "", "0777"]
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(word: str) -> None:
    assert dump({word: word}) == f"'{word}': '{word}'\n"


def test_a_dump_keeps_the_order_of_keys_and_all_characters() -> None:
    assert dump({"z": "Bücher 😀", "a": [1, {"x": None}], "m": {}}) == (
        "z: Bücher 😀\na:\n- 1\n- x: null\nm: {}\n"
    )


def test_text_of_several_lines_is_dumped_as_it_reads() -> None:
    assert dump({"notes": "One.\n\n  Two: #2\n"}) == "notes: |\n  One.\n\n    Two: #2\n"
    assert dump({"notes": "One.\nTwo."}) == "notes: |-\n  One.\n  Two.\n"


def test_a_long_line_is_not_folded() -> None:
    assert dump({"a": "word " * 300 + "end"}).count("\n") == 1


def test_one_object_in_two_places_is_written_twice() -> None:
    shared = {"a": 1}
    assert dump([shared, shared]) == "- a: 1\n- a: 1\n"


def test_half_of_a_surrogate_pair_cannot_be_dumped() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        dump({"a": "\ud800"})
