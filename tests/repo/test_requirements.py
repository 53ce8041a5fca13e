"""The locked requirements: every package by version and hash, from no particular index, and one version of each."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
ALONE = {"checkov.txt"}  # in a venv of its own


def locked(path: Path) -> dict[str, str]:
    """Each package's whole entry: its version, markers and hashes."""
    joined = re.sub(r"\\\n\s*", " ", path.read_text("utf-8"))
    lines = [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {line.split("==")[0]: line for line in lines}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_requirement_has_a_version_and_hashes(path: Path) -> None:
    entries = locked(path)

    assert entries
    assert [
        name
        for name, entry in entries.items()
        if not re.search(r"^[\w.\-\[\]]+==\S+.* --hash=sha256:[0-9a-f]{64}", entry)
    ] == []


def test_all_files_lock_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for path in (path for path in LOCKS if path.name not in ALONE):
        for name, entry in locked(path).items():
            versions.setdefault(name, set()).add(entry.split()[0])

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    asked = {"run": project["dependencies"], "local": optional["local"], "dev": optional["dev"]}

    for lock, requirements in asked.items():
        names = {re.split(r"[\[<>=]", requirement)[0] for requirement in requirements}
        assert names <= {re.split(r"\[", name)[0] for name in locked(ROOT / f"requirements/{lock}.txt")}


def test_no_file_names_a_package_index() -> None:
    hosts = re.compile(
        r"--(extra-)?index-url|--find-links|(files\.)?pythonhosted\.org|pypi\.org".replace("pypi", "py" + "pi")
    )
    texts = [*LOCKS, ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / ".ci/run", *(ROOT / "scripts").glob("*")]

    assert [path.name for path in texts if path.is_file() and hosts.search(path.read_text("utf-8"))] == []
