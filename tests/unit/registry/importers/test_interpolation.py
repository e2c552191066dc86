"""Variables are filled in as compose does it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importers.interpolation import interpolate, read_env

VARIABLES = {"TAG": "1.2", "EMPTY": "", "HOST": "app.test", "_x1": "u"}


def filled(text: str) -> str:
    """The text with VARIABLES filled in."""
    value, _ = interpolate(text, VARIABLES)
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$TAG", "1.2"),
        ("a-$TAG-b", "a-1.2-b"),
        ("${TAG}", "1.2"),
        ("$TAG$HOST", "1.2app.test"),
        ("${_x1}", "u"),
        ("$EMPTY.", "."),
        ("$$TAG", "$TAG"),
        ("$$$TAG", "$1.2"),
        ("$${TAG}", "${TAG}"),
        ("{$TAG}", "{1.2}"),
        ("${TAG:-d}", "1.2"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${GONE:-d}", "d"),
        ("${GONE-d}", "d"),
        ("${GONE:-}", ""),
        ("${GONE:-a:b-c?d}", "a:b-c?d"),
        ("${TAG:+alt}", "alt"),
        ("${EMPTY:+alt}", ""),
        ("${EMPTY+alt}", "alt"),
        ("${GONE:+alt}", ""),
        ("${GONE+alt}", ""),
        ("${TAG:?needed}", "1.2"),
        ("${EMPTY?needed}", ""),
        ("${GONE:-${TAG}}", "1.2"),
        ("${GONE:-${ALSO:-$HOST}}!", "app.test!"),
        ("${TAG:+x-${HOST}-y}", "x-app.test-y"),
        ("${GONE:-$$5}", "$5"),
        ('${GONE:-{"a": {}}}', '{"a": {}}'),
        ("${TAG:-${GONE:?never asked}}", "1.2"),
    ],
)
def test_each_form_of_a_variable_is_filled_in(text: str, result: str) -> None:
    assert filled(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "$",
        "a$",
        "$5",
        "$ x",
        "${",
        "${}",
        "${TAG",
        "${TAG:-x",
        "${1A}",
        "${TAG:}",
        "${TAG:x}",
        "${A B}",
    ],
)
def test_a_malformed_text_is_named_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"^services\.web\.image: ") as caught:
        interpolate({"services": {"web": {"image": text}}}, VARIABLES)
    assert repr(text) in str(caught.value)


def test_a_long_malformed_text_is_shortened() -> None:
    with pytest.raises(ValueError, match="…"):
        interpolate("x" * 200 + "$", {})


def test_variables_nested_without_end_are_malformed() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        interpolate("${A:-" * 5000, {})


@pytest.mark.parametrize(
    "text",
    ["${GONE:?set $HOST}", "${GONE?set $HOST}", "${EMPTY:?set $HOST}", "${A:-${B:?set $HOST}}"],
)
def test_a_required_variable_without_a_value_is_refused_in_its_own_words(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^ports\.0: the variable \w+ is required: set app\.test$"
    ):
        interpolate({"ports": [text]}, VARIABLES)


def test_a_required_variable_needs_no_words() -> None:
    with pytest.raises(ValueError, match="the variable GONE is required: it has no value"):
        interpolate("${GONE:?}", {})


def test_what_is_not_set_is_empty_and_said_once() -> None:
    value = {"a": "x$GONE", "b": ["${GONE}", "$TAG", "${GONE:-d}${ALSO}"]}
    assert interpolate(value, VARIABLES) == (
        {"a": "x", "b": ["", "1.2", "d"]},
        (
            "a: the variable GONE is not set; an empty text stands for it",
            "b.2: the variable ALSO is not set; an empty text stands for it",
        ),
    )


def test_keys_and_what_is_no_text_stay_as_they_are() -> None:
    value: dict[str, Any] = {"$TAG": [1, 1.5, True, None, {"$X": "$TAG"}]}
    assert interpolate(value, VARIABLES) == ({"$TAG": [1, 1.5, True, None, {"$X": "1.2"}]}, ())


@given(st.text())
def test_a_text_with_every_dollar_doubled_is_itself(text: str) -> None:
    assert filled(text.replace("$", "$$")) == text


@given(st.text("${}:-?+A_ x", max_size=30))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    try:
        result = filled(text)
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert "${A}" not in result or "$$" in text


ENV = """
# comment
PLAIN=value  # said
export EXPORTED=yes
SPACED = spaced out
SINGLE='$PLAIN "as is" \\n'
DOUBLE="$PLAIN\\nnext \\$PLAIN"
BARE=${PLAIN}-${GONE_HERE:-d}
EMPTY=
HASH=a#b
LINES="one
two"
LATER=$BARE
"""


def test_an_env_file_is_read_as_compose_reads_it() -> None:
    variables, unset = read_env(ENV, {})
    assert variables == {
        "PLAIN": "value",
        "EXPORTED": "yes",
        "SPACED": "spaced out",
        "SINGLE": '$PLAIN "as is" \\n',
        "DOUBLE": "value\nnext $PLAIN",
        "BARE": "value-d",
        "EMPTY": "",
        "HASH": "a#b",
        "LINES": "one\ntwo",
        "LATER": "value-d",
    }
    assert unset == ()


def test_the_environment_wins_over_an_env_file() -> None:
    variables, _ = read_env("A=file\nB=$A\nC\nD\n", {"A": "shell", "C": "inherited", "X": "x"})
    assert variables == {"A": "shell", "B": "shell", "C": "inherited", "X": "x"}


def test_of_two_lines_the_later_one_counts() -> None:
    assert read_env("A=1\nB=$A\nA=2\nC=$A", {})[0] == {"A": "2", "B": "1", "C": "2"}


def test_what_is_not_set_in_an_env_file_is_said_with_its_line() -> None:
    _, unset = read_env("\n\nA=1\nB=$GONE\n", {}, "stack.env")
    assert unset == (
        "stack.env: line 4: B: the variable GONE is not set; an empty text stands for it",
    )


def test_a_wrong_line_of_an_env_file_is_named() -> None:
    with pytest.raises(ValueError, match=r"^\.env: line 3: not a line such as NAME=value$"):
        read_env("A=1\n\nB: 2 = x y 'z\n", {})


def test_a_malformed_value_of_an_env_file_is_named_but_not_shown() -> None:
    with pytest.raises(ValueError, match=r"^\.env: line 2: PASSWORD: ") as caught:
        read_env("A=1\nPASSWORD=pa$5secret\n", {})
    assert "secret" not in str(caught.value)


def test_a_required_variable_of_an_env_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^\.env: line 1: A: the variable B is required: why$"):
        read_env("A=${B:?why}", {})
