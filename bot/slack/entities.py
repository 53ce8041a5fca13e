"""A message's text as Slack sends it in, what the person meant out: mentions named, links spelled out, our own gone.

https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Names = Callable[[str], str]  # user id -> display name, "" where nobody knows it

_TOKEN = re.compile(r"<(?P<token>[^<>]*)>|&(?P<entity>lt|gt|amp);")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&"}
_USER = re.compile(r"<@(?P<user>[A-Z0-9]+)(?:\|[^<>]*)?>|<!subteam\^[^<>]*>")
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)")
_CLOSING = (",", ".", ";", ":", "!", "?", ")", "\n")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says, and to whom. `mentions_others` counts people and groups of people."""

    text: str
    mentions_us: bool
    mentions_others: bool


def said(text: str, *, bot_user_id: str, name_of: Names) -> Said:
    """Read a text. Takes time linear in its length, whatever is in it."""
    mentioned = [match["user"] for match in _USER.finditer(text)]
    mentions_us = bot_user_id in mentioned
    if mentions_us:
        text = _without(bot_user_id, text)
    return Said(
        _TOKEN.sub(lambda match: _plain(match, name_of), text).strip(),
        mentions_us,
        any(user != bot_user_id for user in mentioned),
    )


def repaired(text: str) -> str:
    """The text with halves of surrogate pairs joined, and lone ones replaced: they cannot be stored or sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _without(user_id: str, text: str) -> str:
    first, *others = re.split(rf"<@{re.escape(user_id)}(?:\|[^<>]*)?>", text)
    for right in others:
        left, right = first.rstrip(" "), right.lstrip(" ")
        if not left:
            right = right.lstrip(",: ")  # "@bot: hello"
        apart = bool(left and right) and not left.endswith("\n") and not right.startswith(_CLOSING)
        first = left + (" " if apart else "") + right
    return first


def _plain(match: re.Match[str], name_of: Names) -> str:
    if match["entity"]:
        return _ENTITIES[match["entity"]]
    address, _, label = match["token"].partition("|")
    address, label = _unescaped(address), _unescaped(label)
    kind, rest = address[:1], address[1:]
    if kind == "@":
        return f"@{name_of(rest) or label or rest}"
    if kind == "#":
        return f"#{label or rest}"
    if kind == "!":
        return _special(rest, label)
    return _link(address, label)


def _special(word: str, label: str) -> str:
    kind, _, detail = word.partition("^")
    if kind == "subteam":
        return f"@{label.removeprefix('@') or detail}"
    return label or f"@{kind}"  # <!here>, <!channel>, and <!date^…|what it says>


def _link(address: str, label: str) -> str:
    bare = _SCHEME.sub("", address)
    if not label or label.rstrip("/") in (address.rstrip("/"), bare.rstrip("/")):
        return label or (address if "://" in address else bare)
    return f"{label} ({address})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
