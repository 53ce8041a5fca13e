"""Alerts and the dashboard: every alert leads to what to do, every query can be read, every chart has its place."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.infra.provider.terraform import Plan, terraform_in_a_copy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Plan]:
    """In Socket Mode, and over HTTP."""
    with terraform_in_a_copy(ROOT / "terraform", tmp_path_factory.mktemp("terraform")) as terraform:
        return terraform.plan(), terraform.plan(hostname="tandem.example.com")


def test_every_alert_leads_to_what_to_do_about_it(plans: tuple[Plan, Plan]) -> None:
    runbook = (ROOT / "docs/operations.md").read_text("utf-8")
    headings = set(re.findall(r"^### (\w+)$", runbook.partition("\n## Alerts\n")[2], re.MULTILINE))
    alerts = {alert["display_name"]: alert for plan in plans for alert in plan.all("google_monitoring_alert_policy")}

    assert set(alerts) == headings
    for name, alert in alerts.items():
        assert alert["documentation"][0]["content"].endswith(f"docs/operations.md#{name.lower()}")


def test_the_dashboard_can_be_drawn(plans: tuple[Plan, Plan]) -> None:
    tiles = _tiles(plans[0])
    places = [(tile["xPos"], tile["yPos"], tile["width"], tile["height"]) for tile in tiles]

    assert len(set(places)) == len(places) > 10
    assert all(x + width <= 48 and x % width == y % height == 0 for x, y, width, height in places)


def test_every_line_of_a_chart_is_named_by_what_it_is_drawn_for(plans: tuple[Plan, Plan]) -> None:
    for line in _lines(plans[0]):
        grouped = " ".join(re.findall(r"by \(([^)]*)\)", line["timeSeriesQuery"]["prometheusQuery"]))
        named = set(re.findall(r"\$\{(\w+)\}", line["legendTemplate"]))

        assert named == set(re.findall(r"\w+", grouped)) - {"le"} or named == {"pod"}, line


def test_every_query_is_one_that_prometheus_reads(plans: tuple[Plan, Plan]) -> None:
    alerts = [alert["conditions"][0] for plan in plans for alert in plan.all("google_monitoring_alert_policy")]
    queries = [alert["condition_prometheus_query_language"][0]["query"] for alert in alerts]
    queries += [line["timeSeriesQuery"]["prometheusQuery"] for line in _lines(plans[0])]

    assert len(queries) > 40
    prometheus = import_module("promql_parser")
    for query in queries:
        prometheus.parse(query)


def _tiles(plan: Plan) -> list[dict[str, Any]]:
    dashboard = json.loads(plan.resources["google_monitoring_dashboard.tandem"]["dashboard_json"])
    tiles: list[dict[str, Any]] = dashboard["mosaicLayout"]["tiles"]
    return tiles


def _lines(plan: Plan) -> list[dict[str, Any]]:
    return [line for tile in _tiles(plan) for line in tile["widget"]["xyChart"]["dataSets"]]
