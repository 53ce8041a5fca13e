"""What leases promise when processes die or sleep: real ones, by real signals, on both stores."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.conversation.mirror import Busy, Taken
from bot.store import Mirror
from tests.doubles.replicas import KEY, Replicas, asked, finish, ts

LEASE_S = 1.0
_OWNER = """
import asyncio, sys
from dataclasses import replace
from bot.errors import LeaseLost
from bot.store import open_mirror
from tests.doubles.replicas import answered, take, ts

async def main(address, emulator_host, lease_s):
    mirror = await open_mirror(address, emulator_host=emulator_host)
    taken = await take(mirror.turns, owner="the other process", lease_s=lease_s)
    lease = taken.lease
    print("taken", flush=True)
    try:
        while True:
            await asyncio.sleep(lease_s / 5)
            lease = await mirror.turns.renew(lease)
    except LeaseLost:
        print("lost", flush=True)
    try:
        await mirror.turns.save(lease, replace(taken.turn, state="answered"), answer=answered(taken.turn, ts(66)))
    except LeaseLost:
        print("refused", flush=True)
    await mirror.close()

asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
"""


@pytest.fixture(params=["sqlite", "firestore"])
def replicas(request: pytest.FixtureRequest) -> Replicas:
    """Mirrors of a database that real processes can share."""
    each: Replicas = request.getfixturevalue(request.param)
    return each


@asynccontextmanager
async def another_owner(replicas: Replicas) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that took the thread and keeps its lease alive."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _OWNER, replicas.address, replicas.emulator_host, str(LEASE_S)),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await line(process) == "taken"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    """The next thing that a process says."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return (await process.stdout.readline()).decode().strip()


async def taken_over(mirror: Mirror) -> tuple[Taken, float]:
    """Take the thread as soon as its lease has died; the seconds that took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with asyncio.timeout(10):
        while True:
            outcome = await mirror.turns.take(KEY, "taker", LEASE_S)
            if isinstance(outcome, Taken):
                return outcome, loop.time() - started
            assert isinstance(outcome, Busy) and outcome.owner == "the other process"
            await asyncio.sleep(min(outcome.for_s, 0.1) + 0.01)


async def test_a_killed_processs_turn_is_taken_over_when_its_lease_ends(replicas: Replicas) -> None:
    mirror = await replicas.open()
    await mirror.turns.accept(*asked())

    async with another_owner(replicas) as owner:
        await asyncio.sleep(LEASE_S * 1.2)
        assert isinstance(await mirror.turns.take(KEY, "taker", LEASE_S), Busy)  # its heart beats
        owner.kill()

        taken, seconds = await taken_over(mirror)

    assert taken.turn.attempts == 2 and taken.lease.fence == 2
    assert LEASE_S * 0.5 < seconds < LEASE_S + 0.5


async def test_a_process_that_slept_through_its_lease_can_write_nothing_more(replicas: Replicas) -> None:
    mirror = await replicas.open()
    await mirror.turns.accept(*asked())

    async with another_owner(replicas) as sleeper:
        os.kill(sleeper.pid, signal.SIGSTOP)
        taken, _ = await taken_over(mirror)
        await finish(mirror.turns, taken, ts(1), "The taker's answer")
        os.kill(sleeper.pid, signal.SIGCONT)

        assert [await line(sleeper), await line(sleeper)] == ["lost", "refused"]

    assert [message.text for message in await mirror.threads.messages(KEY)][1:] == ["The taker's answer"]
    turn = await mirror.turns.turn(taken.turn.id)
    assert turn is not None and turn.state == "answered" and turn.fence == 2
