"""A bot's process in, what it holds at a time out; and whether that grew."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import aiohttp
import psutil

from tests.doubles.tandem import Tandem

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory at a time, when so many turns were over."""

    turns: int
    at: float
    memory: int


@dataclass(frozen=True, slots=True)
class Held:
    """What must come back to where it was: asyncio's tasks by the name of what they run, sockets and other files."""

    tasks: Counter[str]
    sockets: int
    files: int

    def beyond(self, before: "Held") -> list[str]:
        """What is held now and was not then, in words."""
        more = [f"{count} × {name}" for name, count in sorted((self.tasks - before.tasks).items())]
        if self.sockets > before.sockets:
            more.append(f"{self.sockets - before.sockets} sockets")
        if self.files > before.files:
            more.append(f"{self.files - before.files} other files")
        return more


class Gauge:
    """Looks into one running bot."""

    def __init__(self, tandem: Tandem) -> None:
        self._process = psutil.Process(tandem.process.pid)
        self._url = f"{tandem.url}/inspect/tasks"

    def memory(self, turns: int) -> Sample:
        """What is resident now."""
        return Sample(turns, time.monotonic(), self._process.memory_info().rss)

    async def held(self) -> Held:
        """Everything else that can leak; asking takes a socket of its own, which is not counted."""
        async with aiohttp.ClientSession(trust_env=False) as http, http.get(self._url) as answer:
            tasks = Counter((await answer.json())["tasks"])
            sockets = len(self._process.net_connections()) - 1
            files = self._process.num_fds() - sockets - 1
        return Held(tasks, sockets, files)


def quarters(samples: Sequence[Sample], turns: int) -> list[float]:
    """The mean memory of each quarter of so many turns."""
    numbers = range(QUARTERS)
    parts = [[s.memory for s in samples if s.turns * QUARTERS // (turns + 1) == number] for number in numbers]
    return [fmean(part) for part in parts]
