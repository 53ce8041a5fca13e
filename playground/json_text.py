"""Foreign JSON text in, values that can go everywhere out; and the playground's own values in, JSON text out."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 100  # more than any of Slack's structures; beyond, a body is an attack or an accident

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decoded(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises ValueError for what is no JSON, holds numbers that JSON cannot say, or is nested too deep.
    """
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise ValueError("nested too deep")
    return _cleaned(value) if "\\ud" in text.lower() else value


def encoded(value: Any) -> str:
    """JSON as it goes over the wire: ASCII, as Slack's own."""
    return json.dumps(value, separators=(",", ":"))


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _cleaned(value: Any) -> Any:
    """Halves of characters become the sign for what cannot be shown: no encoding takes them."""
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
