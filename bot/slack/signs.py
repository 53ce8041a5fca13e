"""What may begin something live in a model's Markdown, as patterns; all of them linear in what they look at."""

import re

from bot.slack.addresses import MOST_CHARS, WORD

MOST_HELD = MOST_CHARS + 512
MOST_LINK_TEXT = 1_024
LINE_HEAD = re.compile(r"[ \t>*+\-\d.)`~]*+")
PROSE = re.compile(rf"[\n`\\<&\uff1c\ufe64\[]|!\[|!\Z|\](?=\(|:|\Z)|{WORD}")
CODE = re.compile("[\n<&\uff1c\ufe64]")
WORD_TAIL = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9_+\-]{0,62}\Z")
ALNUM = re.compile(r"[A-Za-z0-9]+")
LINK_TEXT = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]\n\\`]|\\[^\n`]|\[(?:[^\[\]\n\\`]|\\[^\n`])*+\](?:\([^()\s`]*+\))?+)*+)\]"
)
DESTINATION = re.compile(
    r"\(\s*+(?:<(?P<angled>[^<>\n]*+)>|(?P<bare>[^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+))"
    r"(?:[ \t]++(?P<title>\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?+[ \t]*+\)"
)
DEFINED = re.compile(r":[ \t]*+\n?[ \t]*+(?:<(?P<angled>[^<>\n]*+)>|(?P<bare>[^\s<>]++))(?=\s)")
TARGET = re.compile(r"\s*+([^\s()]*+\(?)")
BREAKS_OFF = re.compile(r"(?:<|//|www\.|[A-Za-z][A-Za-z0-9+.\-]{1,30}:)", re.IGNORECASE)
# Schemes that mean something without "//"; other names before a colon are rather XML's
_LINK_SCHEME = (
    r"(?i:[A-Za-z][A-Za-z0-9+.\-]{1,31}://|(?:data|file|ftp|https?|javascript|mailto|slack|sms|tel|vbscript):|//)"
)
ANGLED_BEGINS = re.compile(rf"<{_LINK_SCHEME}")
ANGLED = re.compile(rf"<(?P<address>{_LINK_SCHEME}[^<>|\n]++)(?:\|(?P<label>[^<>\n]*+))?>")
NO_TOKEN = re.compile(r"[ \t]*+(?:[\"'()*+,\-./0-9:;=?\[\]^_{}~$%<]|[ \t][A-Za-z])")  # "a < b", "x <= 1", "<-"
TAG_ENDS = re.compile(r"[<>\n]")
TAG = re.compile(r"<[A-Za-z/!?][^<>\n]*+(?:>|(?=\n))")
# After these a link's brackets may go; after others what is inside could complete something.
APART = frozenset(" \t\n(*_\"'~|,:-")


def closing_run(text: str, start: int, run: int, end: int) -> int | None:
    """Where between `start` and `end` the backticks stand that close a code span opened with `run` of them."""
    found = re.compile(rf"(?<!`)`{{{run}}}(?!`)").search(text, start, end)
    return found.start() if found else None
