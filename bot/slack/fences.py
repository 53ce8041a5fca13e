"""Lines of Markdown in, out whether they are code: fenced blocks, also in quotes and lists, as CommonMark has them."""

import re
from dataclasses import dataclass
from typing import Literal

LineKind = Literal["prose", "opens", "code", "closes"]

_LINE = re.compile(
    r"(?P<quote>(?:[ ]{0,3}+>[ \t]?+)*+)"
    r"(?P<list>(?:[ \t]*+(?:[-*+]|\d{1,9}[.)])[ \t]++)*+)"
    r"(?P<indent>[ \t]*+)"
    r"(?P<mark>`{3,}+|~{3,}+)?+"
    r"(?P<rest>[^\n]*)"
)
MOST_EXTRA_INDENT = 3  # with four it is an indented code block


@dataclass(frozen=True, slots=True)
class Fence:
    """An open fenced block."""

    mark: str  # "```", or longer, or tildes
    info: str
    prefix: str  # what stands before it on its line, and belongs before its closing line: quote marks, indentation
    indent: int  # of the list item it stands in; a line with less ends it
    quoted: bool

    @property
    def closing(self) -> str:
        """The line that closes it."""
        return f"{self.prefix}{self.mark}"

    @property
    def opening(self) -> str:
        """The line that opens it again."""
        return f"{self.prefix}{self.mark}{self.info}"


class Fences:
    """Follows the lines of a text; `open` is the fence that the last line left open."""

    def __init__(self) -> None:
        self.open: Fence | None = None
        self._list_indent = 0

    def line(self, line: str) -> LineKind:
        """What the next line is. Its line break may be there or not; of prose, its beginning is enough."""
        line = line.rstrip("\n")
        fence = self.open
        if fence is not None:
            if not self._leaves(fence, line):
                return self._inside(fence, line)
            self.open = None
        match = _LINE.match(line)
        assert match is not None  # noqa: S101 - every part of the pattern is optional
        opened = self._opened(match)
        if opened is not None:
            self.open = opened
            return "opens"
        self._follow_list(match)
        return "prose"

    def _inside(self, fence: Fence, line: str) -> LineKind:
        body = line.replace(">", "", line.count(">")) if fence.quoted else line
        mark = body.strip()
        if len(mark) >= len(fence.mark) and not mark.strip(fence.mark[0]):
            self.open = None
            return "closes"
        return "code"

    @staticmethod
    def _leaves(fence: Fence, line: str) -> bool:
        if fence.quoted:
            return not line.lstrip(" ").startswith(">")
        return bool(line.strip()) and _width(line) < fence.indent

    def _opened(self, match: re.Match[str]) -> Fence | None:
        mark, info = match["mark"], match["rest"]
        if not mark or (mark[0] == "`" and "`" in info):
            return None
        width, quoted = _width(match["indent"] + "x"), bool(match["quote"])
        if match["list"]:
            indent = len((match["list"] + match["indent"]).expandtabs(4))
            prefix = match["quote"] + " " * indent
        else:
            indent = self._list_indent if 0 < self._list_indent <= width else 0
            if width - indent > MOST_EXTRA_INDENT:
                return None
            prefix = match["quote"] + match["indent"]
        return Fence(mark, info, prefix, 0 if quoted else indent, quoted)

    def _follow_list(self, match: re.Match[str]) -> None:
        if match["list"]:
            self._list_indent = len(match["list"].expandtabs(4))
        elif match["rest"].strip() and not match["indent"]:
            self._list_indent = 0


def fence_left_open(text: str) -> Fence | None:
    """The fence that is open where `text` ends."""
    fences = Fences()
    for line in text.split("\n"):
        fences.line(line)
    return fences.open


def _width(line: str) -> int:
    """The width of a line's indentation, in columns."""
    head = line[: len(line) - len(line.lstrip(" \t"))]
    return len(head.expandtabs(4))
