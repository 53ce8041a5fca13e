"""Characters that deceive in, plain ones out: what is invisible, what only looks like Slack's own `<…>`."""

import html
import re
import unicodedata

# Bidirectional overrides and isolates, tag characters, and what has no width and no use
_NEVER = re.compile("[\u202a-\u202e\u2066-\u206f\u200b\u2060-\u2064\ufeff\u180e\U000e0000-\U000e007f]")
# What has no width but joins emoji and shapes scripts: of no use after an ASCII character
_JOINERS = "\u200c-\u200f\u00ad\u034f"
_AFTER_ASCII = re.compile(f"(?<=[!-~])[{_JOINERS}]+")
_LEADING_JOINERS = re.compile(f"[{_JOINERS}]+")

WINDOW = 96  # characters of a text that are enough to recognise a mention
OPENERS = "<\uff1c\ufe64"
_BODY = re.compile(r"([^<>&\uff1c\ufe64\uff1e\ufe65\n]{0,96})([>\uff1e\ufe65]|&(?:gt|#62|#x3e);)", re.IGNORECASE)
# https://docs.slack.dev/messaging/formatting-message-text#special-mentions
_ID = r"(?:[{0}][A-Z0-9]+|[{1}](?=[a-z]*[0-9])[a-z0-9]+)\s*(?:[>|]|\Z)"
_MENTION = re.compile(
    r"<\s*(?:!\s*(?i:channel|here|everyone|group|subteam|date)"
    rf"|@\s*{_ID.format('UWB', 'uwb')}|\#\s*{_ID.format('CGD', 'cgd')})"
)


class Cleaner:
    """Removes deceiving characters from a text that comes in pieces."""

    def __init__(self) -> None:
        self._after_ascii = False

    def clean(self, text: str) -> str:
        """The next piece without them."""
        if text.isascii():
            self._after_ascii = "!" <= text[-1:] <= "~" if text else self._after_ascii
            return text
        text = _NEVER.sub("", text)
        if self._after_ascii:
            leading = _LEADING_JOINERS.match(text)
            text = text[leading.end() :] if leading else text
        text = _AFTER_ASCII.sub("", text)
        if text:
            self._after_ascii = "!" <= text[-1] <= "~"
        return text


def opener_at(text: str, start: int) -> str | None:
    """The `<`, or what reads like one, at `start`; "" = none there, None = the text must go on to tell."""
    if text[start] in OPENERS:
        return text[start]
    tail = text[start : start + 24]
    match = re.match(r"&(?:amp;){0,3}(?:lt|#0{0,5}60|#x0{0,5}3c)(;?)", tail, re.IGNORECASE)
    if match is not None and (match[1] or start + match.end() < len(text)):
        return match.group()
    unfinished = start + len(tail) == len(text) and re.fullmatch(r"&(?:amp;)*[#0-9A-Za-z]*", tail)
    return None if unfinished else ""


def folded(text: str) -> str:
    """How a text would read to software that decodes and normalises generously."""
    return unicodedata.normalize("NFKC", html.unescape(html.unescape(text)))


def is_mention(window: str) -> bool:
    """Whether what starts here reads like Slack's mention of people, groups, channels, or a date."""
    return _MENTION.match(folded(window)) is not None


def disarmed_at(text: str, start: int, opener: str) -> tuple[str, int]:
    """What stands for a bracketed token that starts with `opener`, and how much of `text` it stands for."""
    body = _BODY.match(text, start + len(opener))
    return (f"‹{body[1]}›", body.end() - start) if body else ("‹", len(opener))


def disarmed(text: str) -> str:
    """A finished piece of text with the angle brackets of mentions replaced by ones that only look like them."""
    pieces, at = [], 0
    for match in re.finditer("[<&\uff1c\ufe64]", text):
        if match.start() < at:
            continue
        opener = opener_at(text + "\n", match.start())
        if opener and is_mention(text[match.start() : match.start() + WINDOW]):
            plain, length = disarmed_at(text, match.start(), opener)
            pieces += [text[at : match.start()], plain]
            at = match.start() + length
    return "".join([*pieces, text[at:]])
