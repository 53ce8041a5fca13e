"""Server-sent events: bytes in, each event's data out.

Follows the WHATWG event stream format as far as inference servers use it: lines end with LF, CRLF or CR, anywhere in a
chunk; several `data` lines of an event are joined by newlines; comments and other fields are skipped.
"""

import codecs
from collections.abc import AsyncGenerator, AsyncIterator

from bot.errors import StreamBroken

MAX_EVENT_CHARS = 4 * 2**20  # far above any real event: a server that never ends one must not fill the memory


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """The data of each complete event; what was cut off before its blank line is no event."""
    lines: list[str] = []
    async for line in _lines(chunks):
        if not line:
            if lines:
                yield "\n".join(lines)
            lines = []
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif line == "data":
            lines.append("")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    decode = codecs.getincrementaldecoder("utf-8-sig")("strict").decode
    rest = ""
    async for chunk in chunks:
        try:
            rest += decode(chunk)
        except UnicodeDecodeError as exc:
            raise StreamBroken("the stream is not UTF-8") from exc
        # A CR at the very end may be the first half of a CRLF: it waits for what follows.
        held = "\r" if rest.endswith("\r") else ""
        *whole, rest = rest.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest += held
        if len(rest) > MAX_EVENT_CHARS:
            raise StreamBroken("the stream holds a line without end")
        for line in whole:
            yield line
    if rest.endswith("\r"):
        yield rest.removesuffix("\r")
