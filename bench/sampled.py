"""`python -m bench.sampled serve` is `python -m bot serve`, looked at 250 times a second of its own processor time.

When it ends it prints one JSON object: in which part of the program it was found how often. A part is the innermost
room of the bot on the stack, or the library that runs where no room is.
"""

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.004
ROOT = Path(__file__).parents[1]
LIBRARIES = ("slack_bolt", "slack_sdk", "google", "grpc", "aiohttp", "asyncio", "logging", "json")
ROOMS = {
    "bot/llm": "bot/llm: the model's stream",
    "bot/slack": "bot/slack: events, wording, calls",
    "bot/store": "bot/store",
    "bot/conversation": "bot/conversation",
    "bot/telemetry": "bot/telemetry: logs, metrics",
}

found: Counter[str] = Counter()


def part(frame: FrameType | None) -> str:
    """Where the program is: the innermost room, else the innermost library that has a name here."""
    library = ""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(str(ROOT)) and ".venv" not in path:
            inside = Path(path).relative_to(ROOT).as_posix()
            room = next((name for prefix, name in ROOMS.items() if inside.startswith(prefix)), "")
            if room:
                return room
        library = library or next((name for name in LIBRARIES if f"/{name}/" in path), "")
        frame = frame.f_back
    return f"{library}: outside all rooms" if library else "else"


def main() -> None:
    """Serve until SIGTERM, and say where the time went."""
    sys.argv = ["bot", *sys.argv[1:]]
    signal.signal(signal.SIGPROF, lambda _number, frame: found.update([part(frame)]))
    signal.siginterrupt(signal.SIGPROF, False)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    try:
        runpy.run_module("bot", run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({"sampled": found}), flush=True)


if __name__ == "__main__":
    main()
