"""Markdown in, plain text out: what notifications and screen readers get beside the blocks."""

import re

from bot.slack.blocks import escaped
from bot.slack.limits import SECTION_CHARS
from bot.slack.safety import safe

_FENCE = re.compile(r"^ {0,12}(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_MARKS = re.compile(r"^[ \t]{0,12}(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?=\S))", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|~~)(?=\S)([^\n*_~]+?)(?<=\S)\1")
_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\(([^()\s]{0,500})\)")
_BLANK_LINES = re.compile(r"\n{3,}")
_MORE = " …"


def fallback_text(markdown: str, *, limit: int = SECTION_CHARS) -> str:
    """The words of `markdown` for `text`: at most `limit` characters, &, < and > escaped, never empty.

    Its code marks are gone, so addresses are marked as code anew: none is live here, whatever host it names.
    """
    head = markdown[: 2 * limit]
    words = _LINK.sub(r"\1 (\2)", _EMPHASIS.sub(r"\2", _MARKS.sub("", _FENCE.sub("", head)))).replace("`", "")
    words = _BLANK_LINES.sub("\n\n", words).strip()
    text = escaped(safe(words))
    cut = len(head) < len(markdown)
    while len(text) > limit - len(_MORE):
        words, cut = words[: len(words) * (limit - len(_MORE)) // len(text) - 1], True
        text = escaped(safe(words))
    return (text.rstrip() + _MORE if cut else text) or "…"
