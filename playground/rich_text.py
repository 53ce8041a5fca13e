"""A message's text as Slack stores it in, the rich_text block that Slack puts beside it out."""

import html
import re
from collections.abc import Iterator
from typing import Any

JSON = dict[str, Any]

_TOKEN = re.compile(r"<([!@#]?)([^<>|]+)(?:\|([^<>]*))?>")


def rich_text_block(text: str) -> JSON:
    """One rich_text block with one section: its text, mentions, channels and links."""
    section = {"type": "rich_text_section", "elements": list(_elements(text))}
    return {"type": "rich_text", "block_id": "rt", "elements": [section]}


def _elements(text: str) -> Iterator[JSON]:
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() > position:
            yield {"type": "text", "text": html.unescape(text[position : match.start()])}
        yield _element(*match.groups())
        position = match.end()
    if position < len(text):
        yield {"type": "text", "text": html.unescape(text[position:])}


def _element(sigil: str, value: str, label: str | None) -> JSON:
    if sigil == "@":
        return {"type": "user", "user_id": value}
    if sigil == "#":
        return {"type": "channel", "channel_id": value}
    if sigil == "!":
        return {"type": "broadcast", "range": value}
    link = {"type": "link", "url": html.unescape(value)}
    return {**link, "text": html.unescape(label)} if label else link
