"""A promise is kept, missed, or not measured; nothing is called kept that nobody looked at."""

from typing import Any

import pytest

from bench.figures import FLOOR, SQLITE, Figure, figures
from bench.load import shares
from bench.plot import Panel, picture
from bench.report import renewed


@pytest.mark.parametrize(
    ("value", "at_least", "kept"), [(1.0, False, True), (3.0, False, False), (3.0, True, True), (None, False, None)]
)
def test_a_figure_knows_whether_it_is_kept(value: float | None, at_least: bool, kept: bool | None) -> None:
    assert Figure("speed", value, 2.0, at_least=at_least).kept is kept


def test_nothing_is_kept_where_nothing_was_measured() -> None:
    assert {figure.kept for figure in figures({})} == {None}


def test_ratios_are_to_the_floor_on_bolt_in_the_same_run() -> None:
    even = [row(FLOOR, rate=80.0, cpu_ms=10.0, p95=100.0), row(SQLITE, rate=78.0, cpu_ms=15.0, p95=150.0)]

    found = {figure.name: figure.value for figure in figures({"even": even})}

    assert found["turns a second, 200 threads"] == 0.97
    assert found["processor time a turn, 200 threads"] == 1.5
    assert found["answers that are not exact"] == 0


def row(subject: str, *, rate: float, cpu_ms: float, p95: float) -> dict[str, Any]:
    steps = {step: {"p50": 50.0, "p95": p95} for step in ("ack_ms", "sign_ms", "request_ms", "first_ms", "final_ms")}
    used = {"turns_per_s": rate, "cpu_ms": cpu_ms, "memory_mib": 80.0}
    return {"subject": subject, "threads": 200, "wrong": [], **used, **steps}


def test_shares_of_nothing_are_unknown() -> None:
    assert shares([]) == {"p50": None, "p95": None}
    assert shares([float(n) for n in range(100)]) == {"p50": 50.0, "p95": 95.0}


def test_a_part_of_the_page_is_renewed_and_the_rest_stays() -> None:
    page = "a\n<!-- x: made by python -m bench.report -->\nold\n<!-- end of x -->\nb\n"

    assert "old" not in renewed(page, "x", "new")
    assert renewed(page, "x", "old") == page


def test_every_number_of_a_picture_is_written_at_its_bar() -> None:
    drawn = picture([Panel("turns a second", ["50 threads"], {"floor": [21.5], "tandem": [20.4]})])

    assert "21.5 floor" in drawn and "20.4 tandem" in drawn
