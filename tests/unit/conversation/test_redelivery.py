"""Events that come twice, late, elsewhere or all at once, to three replicas on one virtual clock: one answer each."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.conversation.arrival import Arrival, Outcome
from bot.conversation.thread import Message, ThreadKey
from playground import people
from tests.doubles.answering import markdown_of
from tests.doubles.simulation import Replica, World

CHANNEL = "C0GENERAL"
REDELIVERED_AFTER_S = (0.0, 60.0, 300.0, 370.0)  # as Slack was seen to do it


@pytest.fixture
def world() -> Iterator[World]:
    """Three replicas and a Slack."""
    world = World()
    for _ in range(3):
        world.start()
    yield world
    world.close()


def said(world: World, number: int, root: str = "", *, manner: str = "quick") -> Arrival:
    """Ada asks question `number`; its event."""
    roster = world.slack.slack.roster
    text = f"[t1 q{number} v1 {manner}]"
    message = people.say(world.slack.slack, roster.users["U0ADA"], roster.channels[CHANNEL], text=text, thread_ts=root)
    return Arrival(
        Message(ThreadKey(CHANNEL, message.root), message.ts, "user", text, user_id="U0ADA"),
        team_id="T0TANDEM",
        sender_team_id="T0TANDEM",
        sender="person",
        place="channel",
        mentions_us=True,
        client_msg_id=f"said-{message.ts}",
    )


def tell(replica: Replica, arrival: Arrival) -> list[Outcome]:
    """The event reaches a replica; the outcome, once it has one."""
    outcomes: list[Outcome] = []
    replica.receive(lambda intake: intake.message(arrival), outcomes.append)
    return outcomes


def answers(world: World, root: str) -> list[str]:
    """What the bot has written in a thread."""
    return [markdown_of(message) for message in world.slack.thread(CHANNEL, root)]


def test_of_many_questions_a_third_of_them_redelivered_elsewhere_each_is_answered_once(
    world: World, rng: random.Random
) -> None:
    arrivals = [said(world, number) for number in range(100)]

    async def deliver() -> None:
        later = [arrival for arrival in arrivals if rng.random() < 0.3]
        for arrival in arrivals:
            tell(rng.choice(world.replicas), arrival)
            await asyncio.sleep(0.02)
        for before_s, after_s in zip((0.0, *REDELIVERED_AFTER_S), REDELIVERED_AFTER_S, strict=False):
            await asyncio.sleep(after_s - before_s)
            for arrival in later:
                tell(rng.choice(world.replicas), arrival)
        await asyncio.sleep(30.0)

    world.run(deliver())

    assert [answers(world, each.message.ts) for each in arrivals] == [[f"Answer to q{n}."] for n in range(100)]


def test_of_many_questions_with_a_twin_and_a_phantom_copy_each_is_answered_once(
    world: World, rng: random.Random
) -> None:
    arrivals = [said(world, number) for number in range(60)]
    for arrival in arrivals:
        phantom = replace(arrival, message=replace(arrival.message, ts=f"{arrival.message.ts[:-1]}x"))
        pair = [arrival, replace(arrival, team_id="T0PARTNER"), phantom]
        for each in pair:
            tell(rng.choice(world.replicas), each)
            world.run(asyncio.sleep(rng.choice((0.1, 0.3))))
    world.run(asyncio.sleep(60.0))

    assert [answers(world, each.message.ts) for each in arrivals] == [[f"Answer to q{n}."] for n in range(60)]


def test_twenty_questions_within_two_seconds_in_each_of_five_threads_are_answered_in_their_order(
    world: World, rng: random.Random
) -> None:
    first = [said(world, 0) for _ in range(5)]
    for arrival in first:
        tell(rng.choice(world.replicas), arrival)
    world.run(asyncio.sleep(5.0))
    for number in range(1, 20):
        for root in first:
            tell(rng.choice(world.replicas), said(world, number, root.message.ts))
        world.run(asyncio.sleep(0.1))
    world.run(asyncio.sleep(300.0))

    assert world.wrong == []
    for root in first:
        assert answers(world, root.message.ts) == [f"Answer to q{number}." for number in range(20)]
