"""A growing text in, pages out that each fit one Slack message, cut where a reader would pause."""

import re

from bot.slack.fences import Fence, fence_left_open

_SENTENCE_END = re.compile(r"[.!?…]['\")\]]*[ \n]|[。！？]")
_SPACE = re.compile(r"\s")
_ROW = re.compile(r"[ \t]*\|")


class Pages:
    """The text so far, in pages. Only the last one grows; the others are as they will stay."""

    def __init__(self, most_chars: int) -> None:
        self._most = most_chars
        self.texts: list[str] = [""]

    @property
    def last(self) -> str:
        """The page that grows."""
        return self.texts[-1]

    def add(self, text: str, *, shown: int = 0) -> None:
        """Go on with the text. `shown` is how much of the last page people have read already: that stays on it."""
        self.texts[-1] += text
        while len(self.last) > self._most:
            self._turn(cut_at(self.last, floor=min(shown, self._most), limit=self._most))
            shown = 0

    def turn(self, *, shown: int) -> None:
        """Begin a new page with what nobody has read yet."""
        self._turn(cut_at(self.last, floor=shown, limit=len(self.last)) if shown < len(self.last) else shown)

    def _turn(self, cut: int) -> None:
        head, tail = self.last[:cut], self.last[cut:]
        fence = fence_left_open(head)
        if fence is not None and tail:
            head, tail = head + _seam(head) + fence.closing, _reopened(fence, tail)
        self.texts[-1:] = [head, tail]


def cut_at(text: str, *, floor: int, limit: int) -> int:
    """Where to cut `text`, between `floor` and `limit`: a paragraph, else a line, a sentence, a word, anywhere."""
    early = max(floor, limit // 2)
    paragraph = _paragraph_end(text, early, limit) or _paragraph_end(text, max(floor, limit // 4), limit)
    if paragraph:
        return paragraph
    line = _line_end(text, early, limit)
    if line:
        return line
    for pattern in (_SENTENCE_END, _SPACE):
        ends = [match.end() for match in pattern.finditer(text, early, limit)]
        if ends:
            return ends[-1]
    return limit


def _paragraph_end(text: str, floor: int, limit: int) -> int:
    """The last end of a paragraph that is not inside a code block; 0 = none."""
    end = limit
    while (found := text.rfind("\n\n", floor, end)) >= 0:
        cut = found + 2
        if fence_left_open(text[:cut]) is None:
            return cut
        end = found + 1
    return 0


def _line_end(text: str, floor: int, limit: int) -> int:
    """The last end of a line, better one that is not between the rows of a table; 0 = none."""
    last = text.rfind("\n", floor, limit)
    found = last
    while found >= 0 and _ROW.match(text, found + 1) and _ROW.match(text, text.rfind("\n", 0, found) + 1):
        found = text.rfind("\n", floor, found)
    return (found if found >= 0 else last) + 1


def _seam(head: str) -> str:
    return "" if head.endswith("\n") else "\n"


def _reopened(fence: Fence, tail: str) -> str:
    return f"{fence.opening}\n{tail.removeprefix(chr(10))}"
