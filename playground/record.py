"""Every Web API call in, a log of them out: for tests, and for the Wire view."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000  # calls remembered
KEPT_ANSWERS = 500  # and the answers of the newest, for the Wire view


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the Web API, as it was answered. `status` is HTTP's; 0 for a connection that was dropped."""

    n: int
    at: float
    method: str
    args: dict[str, Any]
    ok: bool
    error: str
    status: int
    duration_ms: float
    retry_after: int = 0
    """The seconds that a 429 asked for."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Record:
    """The calls made, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._count = 0
        self.recent: deque[tuple[Call, dict[str, Any]]] = deque(maxlen=KEPT_ANSWERS)
        self.on_call: list[Callable[[Call, dict[str, Any]], None]] = []

    def add(self, answer: dict[str, Any], **facts: Any) -> None:
        """Note a call; `facts` are the fields of Call but its number."""
        self._count += 1
        call = Call(n=self._count, retry_after=int(answer.get("retry_after") or 0), **facts)
        self._calls.append(call)
        self.recent.append((call, answer))
        for listener in self.on_call:
            listener(call, answer)

    def calls(self, method: str = "", since: int = 0) -> Iterator[Call]:
        """Calls of one method (or all) with a number above `since`."""
        return (call for call in self._calls if call.n > since and method in ("", call.method))

    @property
    def last(self) -> int:
        """The number of the latest call."""
        return self._count

    def forget(self) -> None:
        self._calls.clear()
        self.recent.clear()
