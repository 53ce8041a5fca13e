"""Text as it was written in, text as Slack stores it out: escaped, with names, channels and links as tokens."""

import re

from playground.roster import Roster

_NAMED = re.compile(r"(?<![\w<&])([@#])([\w.-]*\w)")
_URL = re.compile(r"https?://[^\s<>]+")
_TOKEN = re.compile(r"<[^<>\n]+>")
_LABELLED_LINK = re.compile(r"<((?:https?|mailto|tel|ftp|slack):[^<>|\n]+\|[^<>\n]*)>", re.IGNORECASE)


def typed_text(text: str, roster: Roster) -> str:
    """What a person typed into the composer."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    pieces: list[str] = []
    position = 0
    for match in _URL.finditer(escaped):
        pieces += [_linked(escaped[position : match.start()], roster), f"<{match[0]}>"]
        position = match.end()
    return "".join([*pieces, _linked(escaped[position:], roster)])


def linked_names(text: str, roster: Roster) -> str:
    """What an app posted with `link_names` or `parse=full`: bare names become live, tokens stay as they are."""
    pieces: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        pieces += [_linked(text[position : match.start()], roster), match[0]]
        position = match.end()
    return "".join([*pieces, _linked(text[position:], roster)])


def escaped_links(text: str) -> str:
    """What chat.update makes of labelled links unless it is told `parse=none`: words that lead nowhere."""
    return _LABELLED_LINK.sub(r"&lt;\1&gt;", text)


def _linked(text: str, roster: Roster) -> str:
    users = {name.lower(): f"<@{user.id}>" for user in roster.users.values() for name in (user.display_name, user.name)}
    channels = {c.name: f"<#{c.id}|{c.name}>" for c in roster.channels.values() if c.name}
    broadcasts = {name: f"<!{name}>" for name in ("channel", "here", "everyone")}
    known = {"@": {**broadcasts, **users}, "#": channels}
    return _NAMED.sub(lambda match: known[match[1]].get(match[2].lower(), match[0]), text)
