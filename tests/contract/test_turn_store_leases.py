"""What every TurnStore promises of taking a thread's turns and of leases."""

import asyncio
from dataclasses import replace

import pytest

from bot.conversation.mirror import Busy, Taken
from bot.conversation.turn import Part, TurnState
from bot.store import Mirror
from tests.doubles.replicas import KEY, LEASE_S, Replicas, asked, finish, take, ts

SHORT_S = 0.4  # a lease that dies within a test


async def test_taking_begins_the_oldest_open_turn(mirror: Mirror) -> None:
    turns = {seconds: asked(seconds) for seconds in (20, 10, 30)}
    for turn, question in turns.values():
        await mirror.turns.accept(turn, question)

    taken = await take(mirror.turns)

    assert taken.turn == replace(turns[10][0], state="running", attempts=1, fence=1)
    assert taken.lease.fence == 1 and taken.lease.owner == "a"
    assert taken.thread.key == KEY and taken.thread.revision == 4
    assert await mirror.turns.turn(taken.turn.id) == taken.turn


async def test_nothing_open_is_nothing_to_take(mirror: Mirror) -> None:
    assert await mirror.turns.take(KEY, "a", LEASE_S) is None
    assert await mirror.turns.holder(KEY) is None


async def test_a_live_lease_is_busy_even_for_its_owner(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await mirror.turns.accept(*asked(1))
    await take(mirror.turns, owner="a")

    for owner in ("b", "a"):
        busy = await mirror.turns.take(KEY, owner, LEASE_S)
        assert isinstance(busy, Busy) and busy.owner == "a" and 0 < busy.for_s <= LEASE_S
    assert await mirror.turns.holder(KEY) == "a"


async def test_of_fifty_claimants_one_wins_and_none_waits_for_the_others(replicas: Replicas) -> None:
    processes = [await replicas.open() for _ in range(5)]
    await processes[0].turns.accept(*asked())

    outcomes = await asyncio.gather(
        *(process.turns.take(KEY, f"{i}-{j}", LEASE_S) for i, process in enumerate(processes) for j in range(10))
    )  # each within the deadline of a call, where contended transactions would take minutes

    winners = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
    assert len(winners) == 1
    assert winners[0].turn.attempts == 1
    assert all(isinstance(outcome, Busy) for outcome in outcomes if outcome is not winners[0])


async def test_a_dead_owners_turn_is_taken_over_under_a_new_fence(replicas: Replicas) -> None:
    dead, taker = await replicas.open(), await replicas.open()
    await dead.turns.accept(*asked())
    first = await take(dead.turns, owner="dead", lease_s=SHORT_S)
    assert isinstance(await taker.turns.take(KEY, "taker", SHORT_S), Busy)

    await asyncio.sleep(SHORT_S * 1.2)
    second = await take(taker.turns, owner="taker", lease_s=SHORT_S)

    assert second.turn == replace(first.turn, attempts=2, fence=2)
    assert second.lease.fence == 2 and second.lease.nonce != first.lease.nonce
    assert await dead.turns.holder(KEY) == "taker"


@pytest.mark.parametrize("state", ["opening", "delivering"])
async def test_a_taker_learns_that_something_may_have_been_shown(mirror: Mirror, state: TurnState) -> None:
    await mirror.turns.accept(*asked())
    first = await take(mirror.turns)
    shown = replace(first.turn, state=state, parts=(Part(ts(1), "edit", 5.0),), model_id="gemma", ending="answered")
    await mirror.turns.save(first.lease, shown)

    await asyncio.sleep(SHORT_S)
    second = await take(mirror.turns, owner="b", lease_s=SHORT_S)

    assert second.turn == replace(shown, attempts=2, fence=2)


async def test_heartbeats_keep_a_lease_alive(replicas: Replicas) -> None:
    owner, other = await replicas.open(), await replicas.open()
    await owner.turns.accept(*asked())
    lease = (await take(owner.turns, lease_s=SHORT_S)).lease

    for _ in range(4):
        await asyncio.sleep(SHORT_S / 2)
        lease = await owner.turns.renew(lease)
        assert isinstance(await other.turns.take(KEY, "b", SHORT_S), Busy)


async def test_accepts_and_edits_do_not_keep_a_dead_owners_lease_alive(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await take(mirror.turns, lease_s=SHORT_S)

    for seconds in range(1, 5):
        await asyncio.sleep(SHORT_S / 3)
        await mirror.turns.accept(*asked(seconds))
        await mirror.threads.edit(KEY, ts(0), f"edit {seconds}", ts(seconds))
        await mirror.threads.set_thread_model(KEY, "gemini")

    assert (await take(mirror.turns, owner="b", lease_s=SHORT_S)).turn.attempts == 2


async def test_accepts_and_edits_do_not_fence_a_live_owner(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    taken = await take(mirror.turns)

    await mirror.turns.accept(*asked(1))
    await mirror.threads.edit(KEY, ts(0), "edited", ts(2))
    await mirror.threads.set_thread_model(KEY, "gemini")

    await finish(mirror.turns, taken, ts(3))
    assert (await take(mirror.turns)).turn.question_ts == ts(1)


async def test_no_turn_begins_while_an_older_accepted_one_is_open(replicas: Replicas) -> None:
    """Questions arrive in any order while workers take what there is: none is begun before an older accepted one."""
    processes = [await replicas.open() for _ in range(3)]
    accepted: set[str] = set()
    begun: list[tuple[str, set[str]]] = []

    async def accept(seconds: int) -> None:
        await processes[seconds % 3].turns.accept(*asked(seconds))
        accepted.add(ts(seconds))

    async def work(owner: int) -> None:
        while len(begun) < 12:
            before = set(accepted)
            taken = await processes[owner].turns.take(KEY, str(owner), LEASE_S)
            if isinstance(taken, Taken):
                begun.append((taken.turn.question_ts, before - {question for question, _ in begun}))
                await finish(processes[owner].turns, taken, taken.turn.question_ts + "a")
            await asyncio.sleep(0)

    arrivals = [7, 3, 11, 1, 9, 5, 10, 2, 8, 6, 12, 4]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for owner in range(3):
            group.create_task(work(owner))
        for seconds in arrivals:
            group.create_task(accept(seconds))
            await asyncio.sleep(0.01)

    assert sorted(question for question, _ in begun) == sorted(map(ts, arrivals))
    for question, waiting in begun:
        assert question == min(waiting | {question})
