"""`python -m tests.chaos`: numbers in, a run's scoreboard out.

Ends with 0 exactly if nothing happened that must not; with 2 where Java or the emulator is missing.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.chaos import Chaos, connect, say
from tests.chaos.chatterbox import Chatterbox
from tests.chaos.checker import KINDS, Scoreboard, check
from tests.chaos.fleet import deployed
from tests.chaos.plan import Plan, make_plan
from tests.doubles.firestore_emulator import running_emulator

CUT = 0.05  # of the model's streams
BEYOND_LEASES_S = 5.0  # a turn goes on within two leases and so much more
SHOWN_FAULTS = 40


def main() -> int:
    """Run once."""
    options = _options()
    plan = make_plan(
        options.seed,
        questions=options.questions,
        threads=options.threads,
        duration_s=options.minutes * 60,
        kills=options.kills,
        freezes=options.freezes,
    )
    say(f"seed {plan.seed}: {plan.questions} questions in {len(plan.threads)} threads, {options.minutes:g} minutes")
    path = Path(options.keep or tempfile.mkdtemp(prefix="tandem-chaos-"))
    path.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        board = asyncio.run(_run(plan, options, path))
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:  # as the emulator's start says it to tests
        say(str(missing))
        return 2
    bound_s = 2 * options.lease + BEYOND_LEASES_S
    _print(board, bound_s)
    clean = board.is_clean(recovery_s=bound_s)
    say(f"{'clean' if clean else 'NOT clean'} after {time.monotonic() - started:.0f} s; logs in {path}")
    return int(not clean)


async def _run(plan: Plan, options: argparse.Namespace, path: Path) -> Scoreboard:
    async with AsyncExitStack() as stack:
        emulator = stack.enter_context(running_emulator(path / "emulator.log"))
        model = Chatterbox(plan.seed, cut=CUT)
        await stack.enter_async_context(model.serving(model.application()))
        fleet = await stack.enter_async_context(deployed(path, emulator, model.url, lease_s=options.lease))
        mirror, database = await connect(fleet)
        stack.push_async_callback(mirror.close)
        stack.push_async_callback(database.close)
        chaos = Chaos(fleet, emulator, model, plan, options.lease, options.outage, mirror, database)
        history = await chaos.run()
        for name, number in chaos.mischief.items():
            say(f"{name:<24}{number}")
        return check(history)


def _print(board: Scoreboard, bound_s: float) -> None:
    for fault in board.faults[:SHOWN_FAULTS]:
        say(f"  {fault}")
    if len(board.faults) > SHOWN_FAULTS:
        say(f"  … and {len(board.faults) - SHOWN_FAULTS} more")
    rows = {
        "asked": board.asked,
        "answered": board.answered,
        "cut short, and said so": board.cut,
        "apologies": board.apologies,
        "given up by Slack": board.undelivered,
        **{kind: board.counts[kind] for kind in KINDS},
        "interrupted turns": len(board.recoveries),
        "recovery p50": f"{board.recovery(0.5):.1f} s",
        "recovery p95": f"{board.recovery(0.95):.1f} s (at most {bound_s:g} s)",
    }
    for name, value in rows.items():
        say(f"{name:<24}{value}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000), help="repeats its chance")
    parser.add_argument("--small", action="store_true", help="100 questions in 20 threads, in three minutes")
    small = "--small" in sys.argv
    parser.add_argument("--questions", type=int, default=100 if small else 1000)
    parser.add_argument("--threads", type=int, default=20 if small else 200)
    parser.add_argument("--minutes", type=float, default=1.5 if small else 9.0, help="how long questions are asked")
    parser.add_argument("--kills", type=int, default=2 if small else 5)
    parser.add_argument("--freezes", type=int, default=1 if small else 2)
    parser.add_argument("--outage", type=float, default=10.0 if small else 30.0, help="seconds without the store")
    parser.add_argument("--lease", type=float, default=5.0, help="seconds, as TANDEM_LEASE_S")
    parser.add_argument("--keep", default="", help="a folder for the logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
