"""Message text in, what Slack would make live of it out: mentions, broadcasts and links.

Tests read this to prove that nothing live came out of a model.
"""

import re
from collections.abc import Iterator
from typing import Any

Entity = dict[str, str]

_TOKEN = re.compile(r"<([!@#]?)([^<>|\n]+)(?:\|([^<>\n]*))?>")
_CODE = re.compile(r"(?P<fence>`{3,}|~{3,}).*?(?:(?P=fence)|\Z)|(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)", re.DOTALL)
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([a-z][a-z0-9+.-]*:[^)\s>]+)>?[^)\n]*\)", re.IGNORECASE)
_BARE_LINK = re.compile(r"(?<![\w@/|<])(?:https?://|mailto:)[^\s<>|)\]]+", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?|mailto|tel|ftp|slack):", re.IGNORECASE)


def live_entities(data: dict[str, Any]) -> list[Entity]:
    """Everything live in a message object: its text, its blocks and its attachments."""
    found: list[Entity] = []
    for text, is_markdown in _texts(data):
        for entity in text_entities(text, markdown=is_markdown):
            if entity not in found:
                found.append(entity)
    return found


def text_entities(text: str, *, markdown: bool) -> Iterator[Entity]:
    """Live entities of one text. `<…>` tokens count even within code, as Slack resolves them there."""
    for match in _TOKEN.finditer(text):
        entity = _token(*match.groups())
        if entity is not None:
            yield entity
    if "://" not in text and ":" not in text:
        return
    prose = _CODE.sub(" ", _TOKEN.sub(" ", text))
    if markdown:
        for match in _MARKDOWN_LINK.finditer(prose):
            yield {"kind": "link", "value": match[2], "label": match[1]}
        prose = _MARKDOWN_LINK.sub(" ", prose)
    for match in _BARE_LINK.finditer(prose):
        yield {"kind": "bare_link", "value": match[0], "label": ""}


def has_link(entities: list[Entity]) -> bool:
    """Whether there is something that Slack could preview."""
    return any(entity["kind"] in ("link", "bare_link") for entity in entities)


def _token(sigil: str, value: str, label: str | None) -> Entity | None:
    label = label or ""
    if sigil == "@":
        return {"kind": "user", "value": value, "label": label}
    if sigil == "#":
        return {"kind": "channel", "value": value, "label": label}
    if sigil == "!":
        if value in ("channel", "here", "everyone", "group"):
            return {"kind": "broadcast", "value": value, "label": label}
        kind = value.partition("^")[0]
        return {"kind": kind, "value": value, "label": label} if kind in ("subteam", "date") else None
    return {"kind": "link", "value": value, "label": label} if _SCHEME.match(value) else None


def _texts(data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each piece of text that Slack parses, and whether it is Markdown."""
    if isinstance(data.get("text"), str):
        yield data["text"], False
    yield from _block_texts(data.get("blocks") or ())
    for attachment in data.get("attachments") or ():
        if isinstance(attachment, dict):
            yield from _texts(attachment)


def _block_texts(node: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _block_texts(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "plain_text":
            return
        if kind in ("markdown", "mrkdwn") and isinstance(node.get("text"), str):
            yield node["text"], kind == "markdown"
            return
        yield from _rich_entity(node)
        for key, value in node.items():
            if key not in ("value", "action_id", "block_id", "url") and isinstance(value, dict | list):
                yield from _block_texts(value)


def _rich_entity(node: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """A rich_text element (or a button's URL), written as the token that would do the same."""
    kind = node.get("type")
    if kind in ("link", "button") and node.get("url"):
        label = node.get("text") if kind == "link" else "button"
        yield f"<{node['url']}|{label or ''}>", False
    elif kind == "user" and node.get("user_id"):
        yield f"<@{node['user_id']}>", False
    elif kind == "channel" and node.get("channel_id"):
        yield f"<#{node['channel_id']}>", False
    elif kind == "broadcast":
        yield f"<!{node.get('range')}>", False
    elif kind == "usergroup":
        yield f"<!subteam^{node.get('usergroup_id')}>", False
