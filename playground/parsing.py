"""Text as it was written in, text as Slack stores it out: escaped, with names, channels and links as tokens."""

import re

from playground.roster import Roster

_NAMED = re.compile(r"(?<![\w<&])([@#])([\w.-]*\w)")
_URL = re.compile(r"https?://\w[^\s<>]*")
_ANGLE = re.compile(r"&[lg]t;")
_TAIL = frozenset(".,:;!?*_~'\"]}”’»…")  # what ends a sentence, a quotation or an emphasis rather than a link
_TOKEN = re.compile(r"<[^<>\n]+>")
_LABELLED_LINK = re.compile(r"<((?:https?|mailto|tel|ftp|slack):[^<>|\n]+\|[^<>\n]*)>", re.IGNORECASE)


def typed_text(text: str, roster: Roster) -> str:
    """What a person typed into the composer."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    pieces: list[str] = []
    position = 0
    for match in _URL.finditer(escaped):
        link = _without_tail(match[0])
        pieces += [_linked(escaped[position : match.start()], roster), f"<{link}>"]
        position = match.start() + len(link)
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


def _without_tail(link: str) -> str:
    """A typed link without what belongs to the sentence around it: stops, quotes, the bracket that it stands in."""
    link = _ANGLE.split(link, maxsplit=1)[0]
    while True:
        unopened = link.endswith(")") and link.count(")") > link.count("(")
        if not unopened and (link[-1] not in _TAIL or link.endswith("&amp;")):
            return link
        link = link[:-1]


def _linked(text: str, roster: Roster) -> str:
    users = {name.lower(): f"<@{user.id}>" for user in roster.users.values() for name in (user.display_name, user.name)}
    channels = {c.name: f"<#{c.id}|{c.name}>" for c in roster.channels.values() if c.name}
    broadcasts = {name: f"<!{name}>" for name in ("channel", "here", "everyone")}
    known = {"@": {**broadcasts, **users}, "#": channels}
    return _NAMED.sub(lambda match: known[match[1]].get(match[2].lower(), match[0]), text)
