"""Every fault of the catalogue has its line in docs/reliability.md, and every test that a line names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = re.findall(r"^\| ([FM]\d\d) \|(.*)\|$", (ROOT / "docs/reliability.md").read_text("utf-8"), re.MULTILINE)
CATALOGUE = [*(f"F{number:02}" for number in range(1, 36)), *(f"M{number:02}" for number in range(1, 13))]
NAMED = sorted({name for _, line in LINES for name in re.findall(r"`([\w/]+\.py::\w+)`", line)})


def test_every_fault_has_one_line_in_order() -> None:
    assert [fault for fault, _ in LINES] == CATALOGUE


@pytest.mark.parametrize(("fault", "line"), LINES, ids=[fault for fault, _ in LINES])
def test_every_line_names_what_shows_it(fault: str, line: str) -> None:
    assert re.search(r"`[\w/]+\.py::\w+`|`make (chaos|soak)`", line), fault


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_is_named_exists(name: str) -> None:
    path, _, test = name.partition("::")

    assert re.search(rf"^(async def |def )?{test}\b", (ROOT / "tests" / path).read_text("utf-8"), re.MULTILINE)
