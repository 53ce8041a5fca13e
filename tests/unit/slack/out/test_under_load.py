"""Many answers at once within Slack's limits: each whole, soon after its model's last word, in the models' order."""

import asyncio

import pytest

from bot.conversation.turn import ReplyMode
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.replies import SlackReplies
from tests.doubles.answering import ANSWERED, DM, GENERAL, Answering, asked, footer_of
from tests.doubles.virtual_time import virtual_time
from tests.doubles.wireless_slack import WirelessSlack

CHANNELS = (GENERAL, DM, "C0PRIVATE", "D0BEN", GENERAL)
PEOPLE = {GENERAL: "U0ADA", DM: "U0ADA", "C0PRIVATE": "U0ADA", "D0BEN": "U0BEN"}
WORDS = tuple(f"word {n} " for n in range(100))


class Crowd:
    """Many people who ask, with one budget."""

    def __init__(self, slack: WirelessSlack, budget: Budget) -> None:
        self.slack = slack
        self.replies = SlackReplies(SlackCalls(slack.client, budget), bot_user_id="U0BOT")
        self.turns: list[Answering] = []
        self.waits: list[float] = []  # from the model's last word to the whole text in Slack
        self.heard: list[int] = []
        self.finished: list[int] = []

    async def ask(self, number: int, *, seconds: float) -> None:
        """One question, and its answer, which takes the model so long."""
        channel = CHANNELS[number % len(CHANNELS)]
        turn = Answering(self.replies, self.slack, channel, user=PEOPLE[channel])
        self.turns.append(turn)
        mode: ReplyMode = "native" if channel.startswith("D") else "edit"
        reply = await turn.begin(mode)
        for word in WORDS:
            reply.push(word)
            await asyncio.sleep(seconds / len(WORDS))
        heard_at = asyncio.get_running_loop().time()
        self.heard.append(number)
        await reply.open(ANSWERED)
        if turn.text != "".join(WORDS):
            await reply.end(ANSWERED)
            self.waits.append(asyncio.get_running_loop().time() - heard_at)
        else:
            self.waits.append(asyncio.get_running_loop().time() - heard_at)
            await reply.end(ANSWERED)
        self.finished.append(number)

    def assert_all_is_well(self) -> None:
        """Every answer whole, once, and no status left."""
        for turn in self.turns:
            assert turn.text == "".join(WORDS)
            assert not turn.slack.busy(turn.channel, turn.root)

    @property
    def refused_share(self) -> float:
        """The share of calls answered 429."""
        return sum(call.error == "limit" for call in self.slack.calls) / len(self.slack.calls)

    def assert_no_call_within_a_retry_after(self) -> None:
        """Nothing was sent while Slack wanted to be left alone."""
        for refused in (call for call in self.slack.calls if call.error == "limit"):
            early = [
                call
                for call in self.slack.named(refused.method)
                if refused.at + 0.06 < call.at < refused.at + refused.retry_after_s
            ]
            assert not early


@pytest.mark.parametrize(("people", "most_s"), [(10, 5.0), (30, 15.0), (60, 30.0)])
@virtual_time
async def test_a_crowd_gets_whole_answers_in_time_without_a_429(people: int, most_s: float) -> None:
    crowd = Crowd(WirelessSlack(limit_scale=1.0), Budget())
    await asyncio.gather(*(crowd.ask(n, seconds=8 + n % 7) for n in range(people)))

    crowd.assert_all_is_well()
    assert max(crowd.waits) <= most_s
    assert crowd.refused_share <= 0.01
    crowd.assert_no_call_within_a_retry_after()
    await crowd.slack.slack.close()


@virtual_time
async def test_where_no_later_call_is_left_one_call_shows_the_whole_answer_and_how_it_ended() -> None:
    budget = Budget({"chat.update": 1.0})
    async with asked(GENERAL, budget=budget) as answering:
        assert budget.reserve("chat.update", team_id="T0TANDEM")  # somebody else's
        reply = await answering.begin("edit")
        for word in WORDS:
            reply.push(word)
            await asyncio.sleep(0.05)
        await reply.open(ANSWERED)
        await reply.end(ANSWERED)

        assert answering.methods == ["chat.postMessage"]
        assert answering.text == "".join(WORDS)
        assert "Gemma 3 12B" in footer_of(answering.shown[0])


@virtual_time
async def test_forty_turns_a_minute_for_three_minutes_are_no_trouble() -> None:
    crowd = Crowd(WirelessSlack(limit_scale=1.0), Budget())
    tasks = []
    for n in range(120):
        tasks.append(asyncio.ensure_future(crowd.ask(n, seconds=6)))
        await asyncio.sleep(1.5)
    await asyncio.gather(*tasks)

    crowd.assert_all_is_well()
    assert max(crowd.waits) <= 15
    assert crowd.refused_share <= 0.01
    late = [abs(crowd.finished.index(n) - crowd.heard.index(n)) for n in range(120)]
    assert max(late) <= 5
    await crowd.slack.slack.close()


@virtual_time
async def test_with_half_of_what_is_documented_the_budget_learns() -> None:
    crowd = Crowd(WirelessSlack(limit_scale=0.5), Budget())
    tasks = []
    for n in range(80):
        tasks.append(asyncio.ensure_future(crowd.ask(n, seconds=6)))
        await asyncio.sleep(3)
    await asyncio.gather(*tasks)

    crowd.assert_all_is_well()
    crowd.assert_no_call_within_a_retry_after()
    start = crowd.slack.calls[0].at
    later = [call for call in crowd.slack.calls if call.at > start + 60]
    assert sum(call.error == "limit" for call in later) / len(later) <= 0.05
    await crowd.slack.slack.close()
