"""Names in, Slack's JSON out: the golden payloads, scrubbed, each as Slack would send it; and ways to spoil them."""

import copy
import json
import random
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parents[1] / "payloads"
ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", "\ud83d", [], [None], {}, {"id": None}, [[]], "U0BEN", 10**30)


def payload(name: str) -> dict[str, Any]:
    """A payload of its own, free to be changed."""
    value = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    assert isinstance(value, dict)
    return value


def names() -> list[str]:
    """All there are."""
    return sorted(path.stem for path in PAYLOADS.glob("*.json"))


def spoiled(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The payload with one to three of its values odd or gone."""
    for _ in range(chance.randint(1, 3)):
        paths = _paths(body)
        if not paths:
            break
        *path, last = chance.choice(paths)
        target: Any = body
        for step in path:
            target = target[step]
        if chance.random() < 0.3:
            del target[last]
        else:
            target[last] = copy.deepcopy(chance.choice(ODD))
    return body


def _paths(value: object, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    children += list(enumerate(value)) if isinstance(value, list) else []
    return [path for key, inner in children for path in [(*at, key), *_paths(inner, (*at, key))]]
