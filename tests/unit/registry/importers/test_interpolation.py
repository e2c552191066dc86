"""Variables as compose replaces them, and `.env` as compose reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importers.interpolation import env_file_values, interpolate

ENVIRON = {"SET": "value", "EMPTY": "", "OTHER": "more"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$SET", "value"),
        ("$SET-x", "value-x"),
        ("${SET}s", "values"),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET-d}", "d"),
        ("${SET:-d}", "value"),
        ("${SET:+a}", "a"),
        ("${EMPTY:+a}", ""),
        ("${EMPTY+a}", "a"),
        ("${UNSET+a}", ""),
        ("${SET:?m}", "value"),
        ("${EMPTY?m}", ""),
        ("${UNSET:-${SET}}", "value"),
        ("${UNSET:-${UNSET:-${OTHER}!}}", "more!"),
        ("${UNSET:-http://a:80/{x}", "http://a:80/{x"),
        ("${SET:-${UNSET:?never asked}}", "value"),
        ("${UNSET:-}", ""),
        ("${UNSET:-a$$b}", "a$b"),
    ],
)
def test_a_variable_is_replaced_as_compose_does(text: str, expected: str) -> None:
    found = interpolate(text, ENVIRON)
    assert (found.value, found.warnings) == (expected, ())


def test_every_text_is_replaced_at_any_depth_but_no_key() -> None:
    found = interpolate({"$SET": ["$SET", 5, None, {"a": "${OTHER}"}]}, ENVIRON)
    assert found.value == {"$SET": ["value", 5, None, {"a": "more"}]}


def test_a_variable_without_a_value_is_empty_and_named_once_a_place() -> None:
    found = interpolate({"services": {"web": {"image": ["${A}$A", "$SET"]}}}, ENVIRON)
    assert found.value == {"services": {"web": {"image": ["", "value"]}}}
    assert found.warnings == (
        "services.web.image[0]: the variable A is not set; an empty text stands for it",
    )


def test_what_is_not_used_is_not_warned_of() -> None:
    assert interpolate("${SET:-$UNSET}", ENVIRON).warnings == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${UNSET:?say which}", "the variable UNSET is needed: say which"),
        ("${EMPTY:?say $OTHER}", "the variable EMPTY is needed: say more"),
        ("${UNSET?}", "the variable UNSET is needed: not set"),
        ("cost: 5$", "'cost: 5\\$' is malformed"),
        ("$1", r"'\$1' is malformed"),
        ("${}", r"'\$\{\}' is malformed"),
        ("${SET", r"'\$\{SET' is malformed"),
        ("${SET:-x", "is malformed"),
        ("${SET!x}", "is malformed"),
        ("${SET:x}", "is malformed"),
        ("${A:-" * 500 + "}" * 500, "is malformed"),
    ],
)
def test_what_cannot_be_replaced_names_the_place_and_the_text(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^services.web: .*{words}"):
        interpolate({"services": {"web": text}}, ENVIRON)


@given(st.text(st.sampled_from("$${}:-?+Aa_ 1")))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    try:
        assert isinstance(interpolate(text, {"A": "x"}).value, str)
    except ValueError as error:
        assert "malformed" in str(error) or "is needed" in str(error)


@given(st.text())
def test_a_text_with_doubled_dollars_is_that_text(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}).value == text


FILE = """\
# a comment
A=one
export B="two\\n$A"   # a remark
C='$A'
D=${SHELL_ONLY}-${MISSING:-none}
SET=of the file
E=

F = spaced # a remark
G
H=a#b
"""


def test_an_env_file_is_read_as_compose_reads_it() -> None:
    values = env_file_values(FILE, {"SET": "of the shell", "SHELL_ONLY": "s"})
    assert values == {
        "SHELL_ONLY": "s",
        "SET": "of the shell",
        "A": "one",
        "B": "two\none",
        "C": "$A",
        "D": "s-none",
        "E": "",
        "F": "spaced",
        "H": "a#b",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A=1\n\n'b\n", r"^\.env, line 3: not `NAME=value`"),
        ("A=1\n\nB=${A\n", r"^\.env, line 3: '\$\{A' is malformed"),
        ("A=${B:?give B}\n", r"^\.env, line 1: the variable B is needed: give B"),
    ],
)
def test_a_wrong_line_of_an_env_file_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        env_file_values(text, {})
