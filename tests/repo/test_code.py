"""The code keeps its own rules: small files and functions, a map in docstrings, one reader of the environment."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("bench", "bot", "playground", "scripts") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)
LINES_PER_FILE = 300
LINES_PER_FUNCTION = 50

# config reads the environment; children makes the one that a child process gets.
READERS_OF_THE_ENVIRONMENT = {"bot/config/environment.py", "bot/commands/children.py"}

# Vendors' libraries, and the one room that may import each. (import-linter knows `google` as a whole only.)
ROOMS = {
    "google.genai": "bot/llm",
    "google.cloud.firestore": "bot/store",
    "google.api_core": "bot/store",
    "slack_sdk": "bot/slack",
    "slack_bolt": "bot/slack",
    "xllamacpp": "bot/llm/local",
    "opentelemetry": "bot/telemetry",
    "prometheus_client": "bot/telemetry",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_crosses_it(path: Path) -> None:
    docstring = ast.get_docstring(tree(path)) or ""

    assert docstring.partition("\n")[0].endswith((".", "?", "`", "!")), (
        "its first line should be a sentence: X in, Y out."
    )


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name)
def test_files_and_functions_stay_small(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}

    assert len(path.read_text("utf-8").splitlines()) <= LINES_PER_FILE
    assert {found: lines for found, lines in lengths.items() if lines > LINES_PER_FUNCTION} == {}


def test_only_one_module_reads_the_environment() -> None:
    readers = set()
    for path in MODULES:
        attributes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
        names = {f"{ast.unparse(node.value)}.{node.attr}" for node in attributes} | set(imported(path))
        if names & {"os.environ", "os.getenv", "os.environb"}:
            readers.add(name(path))

    assert readers == READERS_OF_THE_ENVIRONMENT


@pytest.mark.parametrize("library", ROOMS)
def test_each_vendor_is_spoken_to_in_one_room(library: str) -> None:
    shipped = [path for path in MODULES if not name(path).startswith("bench/")]
    users = [name(path) for path in shipped if any(f"{found}.".startswith(f"{library}.") for found in imported(path))]
    allowed = (f"{ROOMS[library]}/", "bot/app.py")  # the composition root names what it hands from room to room

    assert [user for user in users if not user.startswith(allowed)] == []


def test_no_name_hides_behind_a_word_that_says_nothing() -> None:
    vague = ("Service", "Manager", "Handler", "Helper", "Utils", "Base", "Impl")
    classes = [
        (name(path), node.name) for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)
    ]

    assert [found for found in classes if found[1].endswith(vague)] == []
    assert [path for path in MODULES if path.stem in ("utils", "helpers", "common", "misc")] == []


def test_every_folder_of_tests_is_run_by_make_test_or_make_infra() -> None:
    pytest_options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    folders = {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in TESTS if path.name.startswith("test_")}

    assert folders == {*pytest_options["testpaths"], "tests/infra"}
