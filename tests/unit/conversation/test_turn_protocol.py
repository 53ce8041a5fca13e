"""Whatever happens to replicas, store and Slack: every question ends in exactly one visible outcome."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.conversation.arrival import Arrival, Deletion, Edit, Outcome
from bot.conversation.intake import Intake
from bot.conversation.thread import Message, ThreadKey
from playground import people
from tests.doubles.simulation import Replica, World
from tests.doubles.wireless_slack import Fault
from tests.unit.conversation.outcomes import Question, check_ends, mark_of, open_turns

JSON = dict[str, Any]
CHANNELS = {"C0GENERAL": "channel", "D0ADA": "dm"}
METHODS = (
    *("chat.postMessage", "chat.update", "chat.delete"),
    *("chat.startStream", "chat.appendStream", "chat.stopStream"),
    *("conversations.replies", "agents.sessions.setStatus"),
)
MANNERS = ("quick", "slow", "long", "broken", "unavailable")
LONGEST_FREEZE_S = 25.0
some = st.integers(0, 11)


@dataclass(eq=False)
class Event:
    """What Slack tells the bot, until it is acked and after."""

    question: Question
    tell: Callable[[Intake], Coroutine[Any, Any, Outcome]]
    gone_version: int = 0  # this version of the text, and those before it, are gone once the event has been taken
    acked: bool = False
    sent: int = 0
    gone_at: float = 0.0


class TurnProtocol(RuleBasedStateMachine):
    """Two or three replicas, a few threads, and a bad day."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.questions: list[Question] = []
        self.stops: list[Question] = []
        self.events: list[Event] = []
        self.world.start()
        self.world.start()

    @property
    def up(self) -> list[Replica]:
        """The replicas that run."""
        return [replica for replica in self.world.replicas if not replica.process.halted]

    # What people do.

    @precondition(lambda self: len(self.questions) < 12)
    @rule(
        channel=st.sampled_from(list(CHANNELS)),
        thread=some,
        manner=st.sampled_from(MANNERS),
        mention=st.booleans(),
        where=st.none() | some,
    )
    def ask(self, channel: str, thread: int, manner: str, mention: bool, where: int | None) -> None:
        roots = sorted({q.key.thread_ts for q in self.questions if q.key.channel_id == channel and not q.deleted})
        root = roots[thread % len(roots)] if roots and thread % 3 else ""
        number = len(self.questions) + 1
        self._say(channel, root, number, manner, mentions_us=mention or not root)
        if where is not None and self.up:
            self._deliver(self.events[-1], self.up[where % len(self.up)])

    @precondition(lambda self: self.questions and len(self.stops) < 3)
    @rule(which=some)
    def stop(self, which: int) -> None:
        asked = self.questions[which % len(self.questions)]
        if asked.key.thread_ts in self.world.slack.slack.workspace.timeline(asked.key.channel_id).messages:
            self._say(asked.key.channel_id, asked.key.thread_ts, 0, "stop", mentions_us=True)

    def _say(self, channel: str, root: str, number: int, manner: str, *, mentions_us: bool) -> None:
        slack, place = self.world.slack.slack, CHANNELS[channel]
        label = next((str(q.number) for q in self.questions if q.ts == root), str(number))
        text = "stop" if manner == "stop" else f"[t{label} q{number} v1 {manner}]"
        question = Question(
            number, manner, text, addressed=mentions_us or place == "dm", mentions=mentions_us and place == "channel"
        )
        said = people.say(
            slack, slack.roster.users["U0ADA"], slack.roster.channels[channel], text=question.typed, thread_ts=root
        )
        question.ts, question.key = said.ts, ThreadKey(channel, said.root)
        (self.stops if manner == "stop" else self.questions).append(question)
        arrival = Arrival(
            Message(question.key, said.ts, "user", text, user_id="U0ADA"),
            team_id="T0TANDEM",
            sender_team_id="T0TANDEM",
            sender="person",
            place=place,  # type: ignore[arg-type]  # one of the two
            mentions_us=question.mentions,
            client_msg_id=f"said-{said.ts}",
        )
        self.events.append(Event(question, lambda intake: intake.message(arrival)))

    @precondition(lambda self: self.questions)
    @rule(which=some)
    def edit(self, which: int) -> None:
        question = self.questions[which % len(self.questions)]
        if question.deleted:
            return
        question.version += 1
        question.text = question.text.replace(f"v{question.version - 1}", f"v{question.version}")
        slack, channel = self.world.slack.slack, question.key.channel_id
        people.edit(slack, slack.roster.users["U0ADA"], slack.roster.channels[channel], question.ts, question.typed)
        edited_ts = slack.workspace.message(channel, question.ts).data["edited"]["ts"]
        change = Edit(question.key, question.ts, question.text, edited_ts, addressed=question.addressed)
        self.events.append(Event(question, lambda intake: intake.edited(change), question.version - 1))

    @precondition(lambda self: self.questions)
    @rule(which=some)
    def delete(self, which: int) -> None:
        question = self.questions[which % len(self.questions)]
        if question.deleted:
            return
        question.deleted = True
        roster = self.world.slack.slack.roster
        people.delete(
            self.world.slack.slack, roster.users["U0ADA"], roster.channels[question.key.channel_id], question.ts
        )
        gone = Deletion(question.key, question.ts, "U0ADA")
        self.events.append(Event(question, lambda intake: intake.deleted(gone), question.version))

    # What Slack does.

    @precondition(lambda self: self.events and self.up)
    @rule(which=some, where=some, copies=st.sampled_from((1, 1, 1, 2)))
    def deliver(self, which: int, where: int, copies: int) -> None:
        fresh = [event for event in self.events if not event.sent] or self.events
        for copy in range(copies):
            self._deliver(fresh[which % len(fresh)], self.up[(where + copy) % len(self.up)])

    @precondition(lambda self: self.events and self.up)
    @rule(which=some, where=some)
    def deliver_again(self, which: int, where: int) -> None:
        self._deliver(self.events[which % len(self.events)], self.up[where % len(self.up)])

    def _deliver(self, event: Event, replica: Replica) -> None:
        event.sent += 1

        def acked(outcome: Outcome) -> None:
            event.acked = True
            event.question.heard_by.append((outcome, replica.process))
            if event.gone_version and outcome.fate == "mirrored":
                event.gone_at = event.gone_at or self.world.loop.time()

        replica.receive(event.tell, acked)

    @rule(
        method=st.sampled_from(METHODS),
        kind=st.sampled_from(("trouble", "trouble", "limit")),
        effect=st.booleans(),
        times=st.sampled_from((1, 1, 2, 5)),
    )
    def slack_trouble(self, method: str, kind: Any, effect: bool, times: int) -> None:
        done = effect and kind == "trouble"
        self.world.slack.faults.append(Fault(method, kind, effect=done, times=times, retry_after_s=4.0))

    # What happens to the store and to replicas.

    @rule(kind=st.sampled_from(("down", "fail", "lose_answer")), times=st.integers(1, 3), seconds=st.integers(1, 25))
    def store_trouble(self, kind: str, times: int, seconds: int) -> None:
        trouble = self.world.trouble
        if kind == "down":
            trouble.down_until = self.world.loop.time() + seconds
        else:
            setattr(trouble, kind, times)

    @precondition(lambda self: self.up)
    @rule(which=some)
    def kill(self, which: int) -> None:
        self.up[which % len(self.up)].kill()
        if len(self.up) < 2:
            self.world.start()

    @precondition(lambda self: self.up)
    @rule(which=some, seconds=st.sampled_from((3.0, 7.0, 11.0, LONGEST_FREEZE_S)))
    def freeze(self, which: int, seconds: float) -> None:
        process = self.up[which % len(self.up)].process
        process.halted = True
        self.world.loop.call_later(seconds, process.go_on)

    @precondition(lambda self: self.up)
    @rule(which=some, grace_s=st.sampled_from((0.0, 2.0, 20.0)))
    def drain(self, which: int, grace_s: float) -> None:
        leaving = self.up[which % len(self.up)]
        self.world.start()
        self.world.run(leaving.drain(grace_s))
        leaving.kill()

    @rule(more=st.integers(1, 8))
    def go_on_step_by_step(self, more: int) -> None:
        self.world.run(self.world.until_effects(more, 3.0))

    @rule(seconds=st.sampled_from((0.1, 1.0, 4.0, 12.0, 40.0)))
    def let_time_pass(self, seconds: float) -> None:
        self.world.run(asyncio.sleep(seconds))

    # What must hold.

    @invariant()
    def nothing_was_begun_too_early_or_sent_too_late(self) -> None:
        assert not self.world.wrong, self.world.wrong

    @invariant()
    def no_mark_is_seen_twice(self) -> None:
        marks = [mark for message in self._bots() if (mark := mark_of(message))]
        assert len(marks) == len(set(marks)), marks

    @invariant()
    def prompts_are_made_of_their_own_thread(self) -> None:
        for _, tags in self.world.prompts:
            assert len({thread for thread, *_ in tags}) == 1, tags

    @invariant()
    def what_was_deleted_or_edited_is_gone_from_prompts(self) -> None:
        for event in self.events:
            for at, tags in self.world.prompts if event.gone_at else ():
                said = [int(version) for _, number, version, _ in tags if int(number) == event.question.number]
                late = at > event.gone_at + LONGEST_FREEZE_S
                assert not late or all(version > event.gone_version for version in said), (event, at, tags)

    def teardown(self) -> None:
        try:
            self._calm_down()
            check_ends(self.world, self.questions, self.stops)
        finally:
            self.world.close()

    def _calm_down(self) -> None:
        """All trouble ends, and what was not acked is delivered until it is."""
        world = self.world
        world.trouble.__init__()  # type: ignore[misc]
        world.slack.faults.clear()
        world.run(asyncio.sleep(30.0))
        if not self.up:
            world.start()
        for _ in range(3):
            for event in self.events:
                if not event.acked:
                    self._deliver(event, self.up[0])
            world.run(asyncio.sleep(5.0))
        assert all(event.acked for event in self.events)
        for _ in range(60):
            world.run(asyncio.sleep(5.0))
            if not open_turns(world, [*self.questions, *self.stops]) and not any(
                replica.worker.busy for replica in self.up
            ):
                break
        world.run(asyncio.sleep(10.0))
        self.nothing_was_begun_too_early_or_sent_too_late()
        self.no_mark_is_seen_twice()
        self.prompts_are_made_of_their_own_thread()
        self.what_was_deleted_or_edited_is_gone_from_prompts()

    def _bots(self) -> list[JSON]:
        bot = self.world.slack.slack.roster.bot_user.id
        timelines = [self.world.slack.slack.workspace.timeline(channel) for channel in CHANNELS]
        return [dict(m.data, ts=m.ts) for line in timelines for m in line.messages.values() if m.author == bot]


DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"  # minutes instead of seconds
TurnProtocol.TestCase.settings = settings(
    max_examples=10_000 if DEEP else 300,
    stateful_step_count=50 if DEEP else 30,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestTurnProtocol = pytest.mark.timeout(3600 if DEEP else 240)(TurnProtocol.TestCase)
