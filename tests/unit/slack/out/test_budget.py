"""The budget keeps Slack's limits for all callers together, and lets the right one go first."""

import asyncio
from collections.abc import Mapping

import pytest

from bot.errors import SlackRateLimited
from bot.slack.budget import Budget, Urgency
from bot.slack.calls import SlackCalls
from bot.slack.limits import DOCUMENTED
from tests.doubles.virtual_time import virtual_time
from tests.doubles.wireless_slack import Fault, WirelessSlack

TEAM = "T0TANDEM"


class Callers:
    """Many who want to call; `left` tells who was let go, and when."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.left: list[tuple[float, str]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def want(
        self,
        name: str,
        method: str = "chat.update",
        *,
        urgency: Urgency = "final",
        since: float | None = None,
        channel_id: str = "",
        team_id: str = TEAM,
    ) -> asyncio.Task[None]:
        """Somebody asks for a permit."""

        async def call() -> None:
            await self.budget.acquire(method, team_id=team_id, channel_id=channel_id, urgency=urgency, since=since)
            self.left.append((asyncio.get_running_loop().time(), name))

        self._tasks.append(asyncio.ensure_future(call()))
        return self._tasks[-1]

    async def all(self) -> None:
        """Wait until everybody was let go."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def names(self) -> list[str]:
        """Who was let go, in that order."""
        return [name for _, name in self.left]

    def most_in(self, seconds: float) -> int:
        """The most that were let go in any so many seconds."""
        times = [at for at, _ in self.left]
        return max(sum(1 for at in times if start <= at < start + seconds) for start in times)


@pytest.mark.parametrize("method", ["chat.startStream", "chat.update", "chat.appendStream"])
@virtual_time
async def test_slacks_own_bucket_never_runs_dry(method: str) -> None:
    callers = Callers(Budget(DOCUMENTED))
    for n in range(300):
        callers.want(str(n), method)
    await callers.all()

    tokens, last = DOCUMENTED[method], callers.left[0][0]
    for at, _ in callers.left:
        tokens = min(DOCUMENTED[method], tokens + (at - last) * DOCUMENTED[method] / 60) - 1
        last = at
        assert tokens >= 0
    elapsed_min = (callers.left[-1][0] - callers.left[0][0]) / 60
    assert 300 / elapsed_min >= 0.9 * DOCUMENTED[method]  # and little of what Slack allows is left unused


@virtual_time
async def test_a_channel_gets_about_a_post_a_second_and_others_do_not_wait_for_it() -> None:
    callers = Callers(Budget(DOCUMENTED))
    start = asyncio.get_running_loop().time()
    for _n in range(20):
        callers.want("busy", "chat.postMessage", channel_id="C1")
    callers.want("quiet", "chat.postMessage", channel_id="C2")
    await callers.all()

    assert callers.most_in(1.0) <= 7
    assert [at for at, name in callers.left if name == "quiet"] == [start]
    assert 14 <= callers.left[-1][0] - start <= 17


@virtual_time
async def test_finals_go_before_openings_and_openings_before_steps() -> None:
    callers = Callers(Budget({"chat.update": 2}))
    callers.want("first")
    await asyncio.sleep(0)
    for urgency in ("step", "open", "final"):
        callers.want(urgency, urgency=urgency)
    await callers.all()

    assert callers.names == ["first", "final", "open", "step"]


@virtual_time
async def test_among_steps_the_one_that_waited_longest_goes_first_and_finals_go_in_their_order() -> None:
    callers = Callers(Budget({"chat.update": 2}))
    callers.want("first")
    await asyncio.sleep(0)
    for name, since in (("b", 20.0), ("c", 30.0), ("a", 10.0)):
        callers.want(name, urgency="step", since=since)
    for name in ("1", "2", "3"):
        callers.want(name, urgency="final")
    await callers.all()

    assert callers.names == ["first", "1", "2", "3", "a", "b", "c"]


@virtual_time
async def test_steps_leave_something_for_finals() -> None:
    callers = Callers(Budget({"chat.update": 30}))  # fifteen at once
    for _n in range(40):
        callers.want("step", urgency="step")
    await asyncio.sleep(0.01)
    assert len(callers.left) < 15
    now = asyncio.get_running_loop().time()
    callers.want("final")
    await asyncio.sleep(0)
    assert (now, "final") in callers.left
    await callers.all()


@virtual_time
async def test_who_gives_up_costs_nothing() -> None:
    callers = Callers(Budget({"chat.update": 2}))
    callers.want("first")
    await asyncio.sleep(0)
    given_up = callers.want("given up")
    callers.want("second")
    await asyncio.sleep(1)
    given_up.cancel()
    await callers.all()

    assert callers.names == ["first", "second"]
    assert callers.left[1][0] - callers.left[0][0] == pytest.approx(60 / (2 * 0.95), rel=0.01)


@virtual_time
async def test_nothing_leaves_within_a_retry_after_even_with_the_limits_off() -> None:
    for limits in (None, DOCUMENTED):
        budget = Budget(limits)
        callers = Callers(budget)
        callers.want("before")
        await callers.all()
        budget.refused("chat.update", team_id=TEAM, retry_after_s=12)
        now = asyncio.get_running_loop().time()
        callers.want("after")
        callers.want("another team", team_id="T2")
        await callers.all()

        assert {name: at for at, name in callers.left}["after"] >= now + 12
        assert {name: at for at, name in callers.left}["another team"] == now


@virtual_time
async def test_a_budget_learns_from_refusals_and_recovers() -> None:
    def rate(callers: Callers) -> float:
        times = [at for at, _ in callers.left[-40:]]
        return (len(times) - 1) / (times[-1] - times[0]) * 60

    budget = Budget({"chat.update": 50})
    for _n in range(4):
        budget.refused("chat.update", team_id=TEAM, retry_after_s=1)
    slow = Callers(budget)
    for n in range(40):
        slow.want(str(n))
    await slow.all()
    assert rate(slow) < 25

    await asyncio.sleep(900)
    fast = Callers(budget)
    for n in range(80):
        fast.want(str(n))
    await fast.all()
    assert rate(fast) > 45


@pytest.mark.parametrize("siblings", [2, 3])
@virtual_time
async def test_siblings_share_the_limits(siblings: int) -> None:
    budget = Budget({"chat.update": 60})
    budget.set_siblings(siblings)
    callers = Callers(budget)
    for n in range(60):
        callers.want(str(n))
    await callers.all()

    assert callers.most_in(60) <= 60 / siblings * 1.5


@virtual_time
async def test_what_is_reserved_is_there_and_nothing_is_reserved_under_load() -> None:
    budget = Budget({"status": 20})  # ten at once
    reservations = [budget.reserve("status", team_id=TEAM, calls=2, keep=0.3) for _ in range(5)]
    assert [reserved is not None for reserved in reservations] == [True, True, True, False, False]

    for reserved in reservations[:3]:
        assert reserved is not None
        for permit in reserved:
            permit.give_back()
            permit.give_back()  # twice is once
    assert budget.reserve("status", team_id=TEAM, calls=2, keep=0.3) is not None


@virtual_time
async def test_no_more_is_reserved_than_slack_would_let_through_at_once() -> None:
    budget = Budget({"chat.stopStream": 20})
    reserved = []
    for _ in range(10):
        await asyncio.sleep(60)
        reserved += budget.reserve("chat.stopStream", team_id=TEAM, calls=2) or []

    assert len(reserved) == 10  # and ten more may leave beside them


@virtual_time
async def test_a_caller_learns_how_long_it_would_wait() -> None:
    budget = Budget({"chat.startStream": 20})
    assert budget.wait_s("chat.startStream", team_id=TEAM) == 0
    callers = Callers(budget)
    for n in range(20):
        callers.want(str(n), "chat.startStream")
    await asyncio.sleep(0)
    assert budget.wait_s("chat.startStream", team_id=TEAM) > 10
    await callers.all()


READ_FAULTS: Mapping[str, Fault] = {
    "trouble": Fault("users.info", "trouble"),
    "limited": Fault("users.info", "limit", retry_after_s=5),
}


@pytest.mark.parametrize("fault", READ_FAULTS.values(), ids=READ_FAULTS.keys())
@virtual_time
async def test_a_read_is_repeated_once(fault: Fault) -> None:
    slack = WirelessSlack(faults=[fault])
    calls = SlackCalls(slack.client, Budget(None))

    answer = await calls.call("users.info", team_id=TEAM, user="U0ADA")

    assert answer["user"]["id"] == "U0ADA"
    assert len(slack.calls) == 2


@virtual_time
async def test_a_read_that_would_wait_too_long_says_so() -> None:
    slack = WirelessSlack(faults=[Fault("users.info", "limit", retry_after_s=3_000)])
    with pytest.raises(SlackRateLimited) as raised:
        await SlackCalls(slack.client, Budget(None)).call("users.info", team_id=TEAM, user="U0ADA")

    assert raised.value.retry_after_s == 3_000


@virtual_time
async def test_what_leaves_is_composed_when_it_leaves() -> None:
    slack = WirelessSlack()
    root = slack.ask()
    budget = Budget({"chat.postMessage": 2})
    calls = SlackCalls(slack.client, budget)
    await budget.acquire("chat.postMessage", team_id=TEAM)
    text = ["early"]
    task = asyncio.ensure_future(
        calls.compose(
            "chat.postMessage",
            lambda: {"channel": "C0GENERAL", "thread_ts": root, "text": text[0]},
            team_id=TEAM,
            urgency="step",
        )
    )
    await asyncio.sleep(1)
    text[0] = "late"
    await task

    assert slack.calls[0].args["text"] == "late"
    await slack.slack.close()
