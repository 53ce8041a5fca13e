"""Calls and deliveries in, the Wire view's entries out: what Slack and the app said, with tokens struck out."""

import re
from typing import Any

from playground.delivery import Delivery
from playground.record import Call

JSON = dict[str, Any]

_SECRET_NAMES = frozenset({"token", "app_token", "bot_token", "signing_secret", "client_secret"})
_SECRET_TEXT = re.compile(r"\b(xox[a-z]-|xapp-)[\w-]+|(\bticket=)[\w-]+")
STRUCK = "…"


def call_entry(call: Call, answer: JSON) -> JSON:
    """One Web API call with what was answered; its arguments came without the token already."""
    return {"kind": "call", **struck(call.as_json()), "answer": struck(answer)}


def delivery_entry(delivery: Delivery) -> JSON:
    """One payload for the app with its attempts so far; `as` is its kind."""
    shown = delivery.as_json()
    return {**struck(shown), "kind": "delivery", "as": shown["kind"]}


def struck(value: Any) -> Any:
    """The same JSON without secrets: what stands under a secret's name, and tokens and tickets within texts."""
    if isinstance(value, dict):
        return {name: STRUCK if name in _SECRET_NAMES else struck(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [struck(inner) for inner in value]
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda found: (found[1] or found[2]) + STRUCK, value)
    return value
