"""The documents say what the code says, link to what exists, and stay short enough to be read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").glob("*.md")])


def test_generated_parts_are_what_the_code_says() -> None:
    checked = subprocess.run([sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True)

    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", path.read_text("utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_can_be_read_at_one_go() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {word for path in DOCUMENTS for word in re.findall(r"`make ([a-z0-9]+)", path.read_text("utf-8"))}

    assert named <= targets


def test_a_decision_says_context_decision_consequence_and_what_would_change_it() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))

    assert decisions
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "What would change our mind"], path.name


def test_the_setup_makes_everything_of_firestore_but_its_backups() -> None:
    text = (ROOT / "terraform/firestore.tf").read_text("utf-8")
    resources = {f"{kind}.{name}" for kind, name in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)}
    targets = set(re.findall(r"-target=(\S+)", (ROOT / "docs/setup.md").read_text("utf-8")))

    assert targets == {each for each in resources if "backup" not in each}


def test_the_sample_environment_names_settings_that_exist() -> None:
    from bot.config import variables

    named = re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.sample").read_text("utf-8"), re.MULTILINE)

    assert named
    assert set(named) <= set(variables())
