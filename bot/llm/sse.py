"""Server-sent events: bytes in, each event's data out.

Follows the WHATWG event stream format as far as inference servers use it: lines end with LF, CRLF or CR, anywhere in a
piece; several `data` lines of an event are joined by newlines; comments and other fields are skipped.
"""

import codecs

from bot.errors import StreamBroken

MAX_EVENT_CHARS = 4 * 2**20  # far above any real event: a server that never ends one must not fill the memory


class EventStream:
    """Feed it the pieces of one stream; what was cut off before its blank line is no event."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("strict").decode
        self._rest = ""  # of the line that has begun
        self._after_cr = False
        self._data: list[str] = []  # of the event that has begun

    def feed(self, piece: bytes) -> list[str]:
        """The data of each event that this piece completes; raises StreamBroken."""
        events = []
        for line in self._lines(piece):
            if not line:
                if self._data:
                    events.append("\n".join(self._data))
                    self._data = []
            elif line.startswith("data:"):
                self._data.append(line[5:].removeprefix(" "))
            elif line == "data":
                self._data.append("")
        return events

    def _lines(self, piece: bytes) -> list[str]:
        try:
            text = self._decode(piece)
        except UnicodeDecodeError as exc:
            raise StreamBroken("the stream is not UTF-8") from exc
        if self._after_cr and text:
            text = text.removeprefix("\n")  # the second half of a CRLF
            self._after_cr = False
        if "\r" in text:
            self._after_cr = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *whole, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > MAX_EVENT_CHARS:
            raise StreamBroken("the stream holds a line without end")
        return whole
