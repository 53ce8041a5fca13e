"""Many threads that stream at once in, the share of a core that the playground needs for them out.

`python -m bench.playground` starts a playground as a process of its own and streams through it. It ends with status 1
when the playground needed more than one core: then measurements of a bot would be measurements of the playground.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bench.streaming_app import StreamingApp

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "playground.json"
CORES_ALLOWED = 1.0
MARKDOWN_CHARS = 12_000  # what Slack takes for one streamed message


def main() -> int:
    """Measure, print, write the numbers down."""
    options = _options()
    command = [sys.executable, "-m", "playground", "--port", "0", "--manifest", str(ROOT / "manifest.yaml")]
    playground = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert playground.stdout is not None  # noqa: S101
        url = playground.stdout.readline().split()[-1]
        measured = asyncio.run(_measure(psutil.Process(playground.pid), url, options))
    except ExceptionGroup as refused:
        print(f"the playground refused a call: {refused.exceptions[0]}", file=sys.stderr)
        return 1
    finally:
        playground.terminate()
        playground.wait(10)
    _report(measured)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
    print(f"\nwritten to {RESULT.relative_to(ROOT)}")
    return 0 if measured["playground_cores"] <= CORES_ALLOWED else 1


async def _measure(process: psutil.Process, url: str, options: argparse.Namespace) -> dict[str, Any]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
        app = StreamingApp(http, url, interval_s=options.interval, chars=options.chars)
        async with app.connected():
            async with asyncio.TaskGroup() as answers:
                for _ in range(options.threads):
                    answers.create_task(app.answer(await app.ask()))
                while app.streaming < options.threads:  # noqa: ASYNC110 - the start is not what is measured
                    await asyncio.sleep(0.01)
                window = await _window(process, app, options.seconds)
                app.enough.set()
            await asyncio.sleep(0.5)  # the last events are on their way
            acked, frames = app.acked, app.frames
    facts = {"threads": options.threads, "append_interval_s": options.interval, "characters_per_append": options.chars}
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    return {**facts, **window, "events_acked": acked, "page_frames": frames, **machine}


async def _window(process: psutil.Process, app: StreamingApp, seconds: float) -> dict[str, Any]:
    """What the playground used while every thread was streaming."""
    app.latencies_ms.clear()
    own = psutil.Process()
    before, own_before, started = process.cpu_times(), own.cpu_times(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, own_after, lasted_s = process.cpu_times(), own.cpu_times(), time.perf_counter() - started
    latencies = sorted(app.latencies_ms)
    return {
        "streaming_at_once": app.streaming,
        "seconds": round(lasted_s, 1),
        "calls_per_second": round(len(latencies) / lasted_s, 1),
        "call_ms_median": round(latencies[len(latencies) // 2], 1),
        "call_ms_99th": round(latencies[len(latencies) * 99 // 100], 1),
        "playground_cores": round((after.user + after.system - before.user - before.system) / lasted_s, 2),
        "client_cores": round((own_after.user + own_after.system - own_before.user - own_before.system) / lasted_s, 2),
        "playground_mb": round(process.memory_info().rss / 1e6),
    }


def _report(measured: dict[str, Any]) -> None:
    for name, value in measured.items():
        print(f"{name.replace('_', ' '):24} {value}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.playground", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=200, help="threads that stream at once")
    parser.add_argument("--seconds", type=float, default=30, help="how long to measure while all of them stream")
    parser.add_argument("--interval", type=float, default=0.7, help="seconds between two appends of a thread")
    parser.add_argument("--chars", type=int, default=160, help="characters of an append")
    options = parser.parse_args()
    total = options.chars * (options.seconds / options.interval + 2) * 1.3  # the first have begun before the last
    if total > MARKDOWN_CHARS:
        parser.error(f"up to {total:.0f} characters would be streamed to one message; Slack takes {MARKDOWN_CHARS}")
    return options


if __name__ == "__main__":
    sys.exit(main())
