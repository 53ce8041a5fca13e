"""Safe Markdown in, in pieces; out with at most one table that Slack can show, all others as aligned code.

Slack shows one table a message, of 100 rows and 20 columns. The first table of an answer stays one; its rows pass as
they come, and those beyond the hundredth follow as code. Every later table, or a wider one, is held back to its end and
comes out as a code block with aligned columns.
"""

import re
import unicodedata
from collections.abc import Sequence

from bot.slack.fences import Fences
from bot.slack.limits import TABLE_CHARS, TABLE_COLUMNS, TABLE_ROWS

_DELIMITER = re.compile(r"[ \t]*+\|?+(?:[ \t]*+:?+-++:?+[ \t]*+\|)*+[ \t]*+(?::?+-++:?+[ \t]*+)?+")
_MORE_ROWS = ""  # stands where rows follow of a table that began elsewhere
_CELL_END = re.compile(r"(?<!\\)\|")


class TableFilter:
    """Feed it the pieces of one text, then flush it."""

    def __init__(self) -> None:
        self._rest = ""  # of the line that has begun
        self._out_already = 0  # how much of `_rest` is out
        self._fences = Fences()
        self._header = ""  # a line that may be a table's first
        self._previous = ""  # the line before, if it has bars but no leading one
        self._rows = 0  # of the table that stays one; 0 = none is being passed
        self._had_table = False
        self._held: list[str] = []  # the lines of a table that becomes code
        self._held_chars = 0

    def feed(self, piece: str) -> str:
        """The text that can be told with `piece`."""
        self._rest += piece
        *lines, self._rest = self._rest.split("\n")
        out = []
        for line in lines:
            done, self._out_already = self._out_already, 0
            out.append(self._line(line + "\n", done))
        if self._rest and self._passes_in_pieces():
            out.append(self._rest[self._out_already :])
            self._out_already = len(self._rest)
        return "".join(out)

    def flush(self) -> str:
        """The rest: no more is to come."""
        last, self._rest = self._rest, ""
        done, self._out_already = self._out_already, 0
        out = self._line(last, done) if last else ""
        if self._header:
            out, self._header = out + self._header, ""
        return out + self._as_code(ends=True)

    def _passes_in_pieces(self) -> bool:
        """Whether the line that has begun is surely no part of a table."""
        if self._fences.open:
            return True
        if self._header or self._held:
            return False
        begin = self._rest.lstrip(" \t")[:1]
        return bool(begin) and begin not in ("|-:" if self._previous else "|")

    def _line(self, line: str, done: int) -> str:
        kind = self._fences.line(line) if not self._is_row(line) or self._fences.open else "prose"
        if done:
            self._previous = line if kind == "prose" and "|" in line else ""
            self._rows = 0
            return line[done:]
        if kind != "prose":
            self._previous = ""
            return self._table_ended() + line
        if self._header:
            return self._second_line(line)
        if not self._is_row(line):
            return self._table_ended() + self._paragraph_line(line)
        self._previous = ""
        if self._held:
            self._hold(line)
            return self._as_code(ends=False) if self._held_chars > TABLE_CHARS else ""
        if self._rows:
            return self._row(line)
        self._header = line
        return ""

    def _paragraph_line(self, line: str) -> str:
        """A line without a leading bar; a delimiter row under it would make a table of a kind that is left as text."""
        previous, self._previous = self._previous, line if "|" in line else ""
        if not previous or "-" not in line or not _DELIMITER.fullmatch(line.rstrip()):
            return line
        if self._had_table or "`" in previous:  # bars would cut code, and what it holds would be code no more
            return "\\" + line.lstrip()
        self._had_table = True
        return line

    def _second_line(self, line: str) -> str:
        header, self._header = self._header, ""
        if "-" in line and _DELIMITER.fullmatch(line.rstrip()) and len(_cells(line)) == len(_cells(header)):
            if not self._had_table and len(_cells(header)) <= TABLE_COLUMNS:
                self._had_table, self._rows = True, 1
                return header + line
            self._had_table = True
            self._hold(header)
            return ""
        return header + self._line(line, 0)

    def _row(self, line: str) -> str:
        if self._rows < TABLE_ROWS:
            self._rows += 1
            return line
        self._rows, self._held = 0, [_MORE_ROWS]
        self._hold(line)
        return ""

    def _hold(self, line: str) -> None:
        self._held.append(line)
        self._held_chars += len(line)

    def _table_ended(self) -> str:
        self._rows = 0
        header, self._header = self._header, ""
        return header + self._as_code(ends=True)

    def _as_code(self, *, ends: bool) -> str:
        """The rows held so far, as a code block."""
        rows, self._held, self._held_chars = self._held, [] if ends else [_MORE_ROWS], 0
        if not any(row.strip() for row in rows):
            return ""
        code = aligned([row for row in rows if row.strip()], headed=rows[0] != _MORE_ROWS)
        return "\n" + code + ("\n" if rows[-1].endswith("\n") else "")

    @staticmethod
    def _is_row(line: str) -> bool:
        return line.lstrip(" \t").startswith("|")


def aligned(rows: Sequence[str], *, headed: bool = True) -> str:
    """A table's rows as a code block, its columns under each other; `headed`: the first row is the columns' names."""
    cells = [_cells(row) for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [max((_width(row[n]) for row in cells if n < len(row)), default=0) for n in range(count)]
    lines = ["  ".join(cell + " " * (widths[n] - _width(cell)) for n, cell in enumerate(row)).rstrip() for row in cells]
    if headed and lines:
        lines.insert(1, "  ".join("-" * width for width in widths))
    mark = "```"
    while any(mark in line for line in lines):
        mark += "`"
    return "\n".join([mark, *lines, mark])


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(inner)]


def _width(text: str) -> int:
    """How many columns a text takes in a fixed-width font."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
