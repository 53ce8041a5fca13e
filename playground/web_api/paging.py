"""A list and a cursor in, one page of it and the next cursor out."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from playground.arguments import Arguments
from playground.errors import SlackError

Item = TypeVar("Item")


def page(
    items: Sequence[Item], args: Arguments, *, default: int, high: int = 1000
) -> tuple[Sequence[Item], dict[str, str]]:
    """Items from the cursor on, at most `limit`, and response_metadata with the next cursor.

    Raises SlackError invalid_cursor, invalid_limit.
    """
    limit = args.integer("limit", default, low=1, high=high)
    start = read_cursor(args.text("cursor"))
    if start > len(items):
        raise SlackError("invalid_cursor")
    end = start + limit
    return items[start:end], {"next_cursor": make_cursor(end) if end < len(items) else ""}


def make_cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def read_cursor(cursor: str) -> int:
    """Raises SlackError invalid_cursor."""
    if not cursor:
        return 0
    try:
        word, _, position = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next" or int(position) < 0:
            raise ValueError(cursor)
        return int(position)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
