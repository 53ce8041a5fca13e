"""What the state machine once found, each by itself: replicas that freeze or hear things in another order."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.conversation.arrival import Arrival, Outcome
from bot.conversation.thread import Message, ThreadKey
from playground import people
from tests.doubles.simulation import Replica, World

CHANNEL = "C0GENERAL"


@pytest.fixture
def world() -> Iterator[World]:
    """Two replicas and a Slack."""
    world = World()
    world.start()
    world.start()
    yield world
    world.close()


def said(world: World, text: str, root: str = "") -> Arrival:
    """Somebody writes this; a root mentions the bot."""
    roster = world.slack.slack.roster
    message = people.say(world.slack.slack, roster.users["U0ADA"], roster.channels[CHANNEL], text=text, thread_ts=root)
    return Arrival(
        Message(ThreadKey(CHANNEL, message.root), message.ts, "user", text, user_id="U0ADA"),
        team_id="T0TANDEM",
        sender_team_id="T0TANDEM",
        sender="person",
        place="channel",
        mentions_us=not root,
    )


def tell(replica: Replica, arrival: Arrival) -> list[Outcome]:
    """An event reaches a replica; what is acked will be in the list."""
    acked: list[Outcome] = []
    replica.receive(lambda intake: intake.message(arrival), acked.append)
    return acked


def answers(world: World, root: str) -> int:
    """How many messages of the bot the thread shows."""
    return len(world.slack.thread(CHANNEL, root))


def test_a_process_that_froze_while_it_was_given_the_lease_sends_nothing_when_it_thaws(world: World) -> None:
    frozen, other = world.replicas
    question = said(world, "[t1 q1 v1 slow]")
    tell(frozen, question)
    world.run(world.until_effects(2, 5.0))  # the turn is accepted, the lease is given
    frozen.process.halted = True
    world.run(asyncio.sleep(11.0))
    tell(other, question)
    world.run(asyncio.sleep(3.0))
    frozen.process.go_on()
    world.run(asyncio.sleep(30.0))

    assert world.wrong == []
    assert answers(world, question.message.ts) == 1


def test_a_reply_that_comes_before_its_thread_is_ours_is_answered_wherever_that_becomes_known(world: World) -> None:
    first, second = world.replicas
    question = said(world, "[t1 q1 v1 quick]")
    follow_up = said(world, "[t1 q2 v1 quick]", root=question.message.ts)
    held = tell(first, follow_up)
    world.run(asyncio.sleep(1.0))
    tell(second, question)
    world.run(asyncio.sleep(30.0))

    assert [outcome.fate for outcome in held] == ["held"]
    assert answers(world, question.message.ts) == 2


def test_a_reply_that_comes_in_the_very_moment_its_thread_becomes_ours_is_answered(world: World) -> None:
    replica = world.replicas[0]
    question = said(world, "[t1 q1 v1 quick]")
    follow_up = said(world, "[t1 q2 v1 quick]", root=question.message.ts)
    tell(replica, follow_up)
    tell(replica, question)
    world.run(asyncio.sleep(1.9))  # before anybody would look again

    mirror = world.database.mirror(now=world.now)
    assert world.run(mirror.turns.turn(f"{CHANNEL}:{follow_up.message.ts}")) is not None
