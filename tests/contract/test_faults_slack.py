"""What Slack can do wrong, each over the wire: a question to the real bot has its one whole answer, or its one end."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.doubles.gemma_server import GemmaServer, gemma_server, says
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.workspace import JSON
from tests.e2e.conftest import shown, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = [f"word{number} " for number in range(12)]
ANSWER = "".join(WORDS)
PLACES = {"native": ("U0ADA", "D0ADA"), "edit": ("U0ADA", "C0GENERAL")}
EVER = 1 << 30
CALM: JSON = {"fail": [], "events": {"duplicate": 0, "lose": 0, "delay_s": 0}, "timing": {"stream_life_s": 300}}


@dataclass(slots=True)
class Ward:
    """One bot for all tests of this file."""

    bot: LoneBot
    gemma: GemmaServer

    async def ask(self, count: int, *modes: str, timeout_s: float = 40.0) -> list[list[JSON]]:
        """So many questions at once, each in a thread of its own; what the bot has written to each in the end."""
        places = [PLACES[modes[number % len(modes)]] for number in range(count)]
        roots = [await self.bot.workspace.say(user, channel, "@Tandem hello") for user, channel in places]
        asked = [(channel, root) for (_, channel), root in zip(places, roots, strict=True)]
        async with asyncio.timeout(timeout_s):
            return [await self.answers(*each) for each in asked]

    async def answers(self, channel: str, root: str, count: int = 1) -> list[JSON]:
        """What the bot has written in a thread, once so many of its turns are over."""
        while not await self.is_closed(channel, root, count):
            await asyncio.sleep(0.05)
        return (await self.bot.workspace.messages(channel, root))[1:]

    async def is_closed(self, channel: str, root: str, count: int = 1) -> bool:
        """Whether the mirror has so many turns of this thread, and none of them is open."""
        mirrored = await self.bot.inspect(channel, root)
        asked = [message for message in mirrored["messages"] if message["role"] == "user"]
        return len(asked) >= count and mirrored["open_turns"] == []

    async def trouble(self, *failures: JSON, **settings: Any) -> int:
        """Switch it on; the number of the last call before."""
        calls = await self.bot.workspace.calls()
        await self.bot.workspace.trouble(seed=7, fail=[{"times": EVER, **each} for each in failures], **settings)
        return int(calls[-1]["n"]) if calls else 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ward]:
    async with AsyncExitStack() as stack:
        gemma = await stack.enter_async_context(gemma_server())
        path = tmp_path_factory.mktemp("slack")
        yield Ward(await stack.enter_async_context(lone_bot(path, gemma.url, TANDEM_LEASE_S="2")), gemma)


@pytest_asyncio.fixture(loop_scope="module")
async def ward(running: Ward) -> AsyncIterator[Ward]:
    """The bot, in a Slack that is well again."""
    running.gemma.standing = says(WORDS, pause_s=0.01)
    await running.bot.workspace.trouble(**CALM)
    yield running
    await running.bot.workspace.trouble(**CALM)


def unlike(answers: list[list[JSON]]) -> list[list[str]]:
    """What stands where there should be one message, with all of the answer and nothing twice."""
    texts = [[shown([message]) for message in each] for each in answers]
    return [each for each in texts if each != [ANSWER]]


@pytest.mark.parametrize(
    "events",
    [
        {"duplicate": 1.0},
        {"lose": 1.0},
        {"delay_s": 0.5},
        {"duplicate": 0.5, "lose": 0.5, "delay_s": 0.5},
    ],
    ids=["every event comes twice", "only retries come", "events overtake each other", "all at once"],
)
async def test_however_events_arrive_each_question_has_one_answer(ward: Ward, events: JSON) -> None:
    await ward.trouble(events=events, timing={"retry_delays_s": [0.1, 0.5, 1.0]})

    assert unlike(await ward.ask(100, "native", "edit")) == []


@pytest.mark.parametrize("effect", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("kind", ["drop", "status"])
async def test_an_opening_whose_outcome_nobody_knows_is_neither_lost_nor_doubled(
    ward: Ward, kind: str, effect: bool
) -> None:
    unknown = {"kind": kind, "effect": effect, "share": 0.5}
    methods = ("chat.postMessage", "chat.startStream")
    since = await ward.trouble(*({**unknown, "method": method} for method in methods))
    answers = await ward.ask(60, "native", "edit")
    calls = await ward.bot.workspace.calls(since=since)

    assert unlike(answers) == []
    assert sum(call["method"] in methods and not call["ok"] for call in calls) >= 10


async def test_though_every_fifth_call_may_or_may_not_have_been_done_all_answers_are_whole(ward: Ward) -> None:
    failure = {"method": "*", "kind": "status", "status": 500, "share": 0.1}
    await ward.trouble({**failure, "effect": True}, {**failure, "effect": False})

    assert unlike(await ward.ask(60, "native", "edit", timeout_s=60)) == []


async def test_though_slack_is_busy_all_answers_land_and_nothing_is_sent_before_its_time(ward: Ward) -> None:
    busy = {"method": "*", "kind": "status", "status": 429, "error": "ratelimited", "retry_after": 1, "share": 0.4}
    since = await ward.trouble(busy)
    answers = await ward.ask(30, "native", "edit", timeout_s=100)
    calls = await ward.bot.workspace.calls(since=since)

    assert unlike(answers) == []
    assert too_early(calls) == []


def too_early(calls: list[JSON]) -> list[JSON]:
    """The calls of a method within its Retry-After; those apart that were under way when Slack said so."""
    under_way_s, asked_for_s = 0.25, 0.95
    limited: dict[str, list[float]] = defaultdict(list)
    early = []
    for call in calls:
        if any(under_way_s < call["at"] - since < asked_for_s for since in limited[call["method"]]):
            early.append(call)
        if call["status"] == 429:
            limited[call["method"]].append(call["at"])
    return early


async def test_answers_outlive_their_streams(ward: Ward) -> None:
    ward.gemma.standing = says(WORDS, pause_s=0.2)
    await ward.trouble(timing={"stream_life_s": 0.7})

    assert unlike(await ward.ask(20, "native")) == []


@pytest.mark.parametrize("effect", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize(("mode", "method"), [("edit", "chat.update"), ("native", "chat.stopStream")])
async def test_a_last_update_that_fails_is_made_again_and_nothing_is_posted_anew(
    ward: Ward, mode: str, method: str, effect: bool
) -> None:
    await ward.trouble({"method": method, "kind": "drop", "effect": effect, "share": 0.7, "times": 20})

    assert unlike(await ward.ask(20, mode)) == []


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "cannot_reply_to_message", "thread_not_found"])
async def test_where_nothing_may_be_written_it_is_tried_once_or_twice_and_the_turn_ends(ward: Ward, code: str) -> None:
    methods = ("chat.postMessage", "chat.startStream")
    since = await ward.trouble(*({"method": method, "kind": "error", "error": code} for method in methods))
    root = await ward.bot.workspace.say("U0ADA", "C0GENERAL", "@Tandem hello")
    async with asyncio.timeout(10):
        assert await ward.answers("C0GENERAL", root) == []
    await asyncio.sleep(0.5)

    posts = [call for call in await ward.bot.workspace.calls(since=since) if call["method"] in methods]
    assert 1 <= len(posts) <= 2


@pytest.mark.parametrize("mode", PLACES)
async def test_a_question_that_is_deleted_while_it_is_answered_takes_its_answer_with_it(ward: Ward, mode: str) -> None:
    user, channel = PLACES[mode]
    ward.gemma.standing = says(WORDS * 20, pause_s=0.1)
    ward.gemma.hung_up.clear()
    root = await ward.bot.workspace.say(user, channel, "@Tandem hello")
    async with asyncio.timeout(10):
        while len(await ward.bot.workspace.messages(channel, root)) < 2:
            await asyncio.sleep(0.05)
    await ward.bot.workspace.delete(user, channel, root)
    await until(ward.gemma.hung_up.is_set, timeout_s=2)
    async with asyncio.timeout(10):
        while [m for m in await ward.bot.workspace.messages(channel, root) if m.get("bot_id")]:
            await asyncio.sleep(0.05)
        while not await ward.is_closed(channel, root, 0):
            await asyncio.sleep(0.05)


async def test_a_question_that_is_edited_while_it_is_answered_keeps_its_answer_and_the_next_one_knows(
    ward: Ward,
) -> None:
    ward.gemma.standing = says(WORDS, pause_s=0.1)
    root = await ward.bot.workspace.say("U0ADA", "D0ADA", "the first wording")
    async with asyncio.timeout(10):
        while len(await ward.bot.workspace.messages("D0ADA", root)) < 2:
            await asyncio.sleep(0.05)
    await ward.bot.workspace.edit("U0ADA", "D0ADA", root, "the second wording")
    assert unlike([await ward.answers("D0ADA", root)]) == []
    await ward.bot.workspace.say("U0ADA", "D0ADA", "and now?", root)
    assert len(await ward.answers("D0ADA", root, 2)) == 3

    prompt = ward.gemma.requests[-1].body["prompt"]
    assert "the second wording" in prompt and "the first wording" not in prompt
