"""Names in, Slack's JSON out: the golden payloads, scrubbed, each as Slack would send it."""

import json
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parents[1] / "payloads"


def payload(name: str) -> dict[str, Any]:
    """A payload of its own, free to be changed."""
    value = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    assert isinstance(value, dict)
    return value


def names() -> list[str]:
    """All there are."""
    return sorted(path.stem for path in PAYLOADS.glob("*.json"))
