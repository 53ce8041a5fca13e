"""A model hub on loopback: names a file's hash, hands out its bytes in ranges, and misbehaves on demand."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What it serves and how; may be changed while it runs."""

    content: bytes
    url: str = ""
    sha256: str = ""  # announced; that of the content unless told otherwise
    takes_ranges: bool = True
    cuts_after: list[int] = field(default_factory=list)  # bytes of each next download before the connection breaks
    status: int = 302  # of the answer about the file
    announces: bool = True
    asked: list[str] = field(default_factory=list)  # method, path and range of each request

    @property
    def etag(self) -> str:
        return self.sha256 or hashlib.sha256(self.content).hexdigest()


class _Answers(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        """About the file: its hash and size, and where the bytes are."""
        self._note()
        if self.hub.status != 302:
            return self._headers(self.hub.status, {})
        away = {"Location": f"{self.hub.url.replace('127.0.0.1', 'localhost')}/bytes"}
        facts = {"X-Linked-ETag": f'"{self.hub.etag}"', "X-Linked-Size": str(len(self.hub.content))}
        return self._headers(302, away | (facts if self.hub.announces else {}))

    def do_GET(self) -> None:
        """The bytes, from where the range begins."""
        self._note()
        if self.path != "/bytes":
            return self._headers(302, {"Location": f"{self.hub.url}/bytes"})
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if self.hub.takes_ranges else 0
        total = len(self.hub.content)
        facts = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
        body = self.hub.content[start:]
        self._headers(206 if start else 200, facts, len(body))
        if self.hub.cuts_after:
            self.wfile.write(body[: self.hub.cuts_after.pop(0)])
            self.close_connection = True
            return None
        self.wfile.write(body)
        return None

    def _headers(self, status: int, headers: dict[str, str], length: int = 0) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(length)}).items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self) -> None:
        self.hub.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def hub(content: bytes) -> Iterator[Hub]:
    """A running one."""
    serving = Hub(content)
    answers = type("Answers", (_Answers,), {"hub": serving})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        serving.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield serving
        finally:
            server.shutdown()
            thread.join()
