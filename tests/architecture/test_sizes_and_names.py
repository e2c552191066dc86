"""What reads well: small files, small functions, names that say something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("registry", "provider")
    for path in (ROOT / package).rglob("*.py")
)
FILE_LINES_MAX, FUNCTION_LINES_MAX = 350, 80
SAYING_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def tree(module: str) -> ast.Module:
    """A module, parsed."""
    return ast.parse((ROOT / module).read_text())


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods and inner ones included."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_there_are_modules_to_look_at() -> None:
    assert {"registry/store.py", "provider/render/document.py"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_too_long(module: str) -> None:
    lines = len((ROOT / module).read_text().splitlines())
    assert lines <= FILE_LINES_MAX, f"{module} has {lines} lines"


@pytest.mark.parametrize("module", MODULES)
def test_no_function_is_too_long(module: str) -> None:
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions(module)}
    long = {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX}
    assert not long, f"{module}: {long}"


@pytest.mark.parametrize("module", MODULES)
def test_every_name_in_a_path_says_what_is_there(module: str) -> None:
    parts = Path(module).with_suffix("").parts
    words = {word for part in parts for word in part.strip("_").split("_")}
    assert not words & SAYING_NOTHING


@pytest.mark.parametrize("module", [each for each in MODULES if each.endswith("/__init__.py")])
def test_a_package_file_holds_a_docstring_only(module: str) -> None:
    body = tree(module).body
    assert len(body) <= 1
    assert not body or ast.get_docstring(tree(module))


@pytest.mark.parametrize("module", [each for each in MODULES if not each.endswith("/__init__.py")])
def test_every_module_says_in_one_line_what_it_is(module: str) -> None:
    docstring = ast.get_docstring(tree(module))
    assert docstring
    first = docstring.splitlines()[0]
    assert first.endswith((".", ":")), first


def test_only_the_daemon_and_the_command_read_settings() -> None:
    readers = set()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom) and node.module == "provider.settings":
                readers.add(module)
    commands = {"provider/__main__.py", "provider/commands/offline.py"}
    assert readers <= {"provider/daemon.py", *commands} | {
        module for module in MODULES if module.startswith("provider/demo/")
    }


def test_no_environment_variable_is_read_outside_of_settings_and_the_command() -> None:
    for module in MODULES:
        text = (ROOT / module).read_text()
        known = module in ("provider/settings.py", "provider/__main__.py")
        if not known and not module.startswith("provider/demo/"):
            assert "os.environ" not in text, module
            assert "getenv" not in text, module
