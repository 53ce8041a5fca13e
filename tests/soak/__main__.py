"""`python -m tests.soak`: so many turns through one bot at the fastest rate, what it still holds afterwards out.

Ends with 0 exactly if every answer was right, and neither memory nor tasks nor sockets nor files were left behind.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from tests.doubles.lone_bot import lone_bot
from tests.doubles.tandem import Tandem
from tests.soak.gauge import Gauge, Sample, quarters
from tests.soak.load import Load, Quick

EVERY_S = 1.0
IDLE_S = 45.0  # idle connections are kept for some time
SHOWN = 20
SMALL = 3_000  # enough to see a leak of 3 kB a turn; of all turns a seventh of that is seen


def main() -> int:
    """Run once."""
    options = _options()
    path = Path(options.keep or tempfile.mkdtemp(prefix="tandem-soak-"))
    path.mkdir(parents=True, exist_ok=True)
    faults = asyncio.run(_run(path, options))
    for fault in faults[:SHOWN]:
        print(f"  {fault}")
    print(f"{'NOT clean' if faults else 'clean'}; logs in {path}")
    return int(bool(faults))


async def _run(path: Path, options: argparse.Namespace) -> list[str]:
    async with AsyncExitStack() as stack:
        model = Quick()
        await stack.enter_async_context(model.serving(model.application()))
        bot = await stack.enter_async_context(lone_bot(path, model.url))
        return await _soak(bot.tandem, Load(bot.workspace, options.turns, options.at_once), options.growth)


async def _soak(tandem: Tandem, load: Load, growth: float) -> list[str]:
    gauge = Gauge(tandem)
    before = await gauge.held()
    started = time.monotonic()
    samples: list[Sample] = []
    sampling = asyncio.create_task(_sample(gauge, load, samples))
    try:
        await load.run()
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
    lasted_s = time.monotonic() - started
    deadline = time.monotonic() + IDLE_S
    while left := (await gauge.held()).beyond(before):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    first, *_, last = means = quarters(samples, load.turns)
    print(f"turns              {load.over} in {lasted_s:.0f} s, {load.over / lasted_s:.1f} a second")
    print(f"memory by quarter  {', '.join(f'{mean / 1e6:.1f}' for mean in means)} MB")
    print(f"growth             {last / first - 1:.1%} (at most {growth:.0%})")
    print(f"left behind        {', '.join(left) or 'nothing'}")
    print(f"wrong answers      {len(load.wrong)}")
    return [*load.wrong, *_grown(first, last, growth), *(f"{each} left behind" for each in left)]


async def _sample(gauge: Gauge, load: Load, samples: list[Sample]) -> None:
    while True:
        samples.append(gauge.memory(load.over))
        if len(samples) % 20 == 0:
            print(f"{load.over:6} turns  {samples[-1].memory / 1e6:.1f} MB", flush=True)
        await asyncio.sleep(EVERY_S)


def _grown(first: float, last: float, most: float) -> Sequence[str]:
    return [f"memory grew by {last / first - 1:.1%}"] if last > first * (1 + most) else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--small", action="store_true", help=f"{SMALL} turns, in a minute")
    parser.add_argument("--turns", type=int, default=SMALL if "--small" in sys.argv else 20_000)
    parser.add_argument("--at-once", type=int, default=32, help="turns under way at a time")
    parser.add_argument(
        "--growth", type=float, default=0.1, help="share by which memory may grow, first quarter to last"
    )
    parser.add_argument("--keep", default="", help="a folder for the logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
