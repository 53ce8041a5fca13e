"""The playground limits calls as Slack documents it: exactly, per method, and for posts per channel."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from playground.ratelimits import Bucket
from playground.web_api import METHODS
from tests.doubles.in_process import ADA, DM, GENERAL, SECRET, InProcess
from tests.doubles.workspace import BOT_TOKEN

Call = Callable[[], Awaitable[Any]]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        running.slack.limits.now = clock
        await running.trouble(rate_limits="documented")
        yield running


async def refused_for(call: Call) -> int:
    """The Retry-After of a call that is one too many."""
    with pytest.raises(SlackApiError) as raised:
        await call()
    response = raised.value.response
    assert (response.status_code, response["error"], response["ok"]) == (429, "ratelimited", False)
    return int(response.headers["Retry-After"])


async def allowed(call: Call, at_most: int = 200) -> int:
    """How many calls pass one after the other."""
    for count in range(at_most):
        try:
            await call()
        except SlackApiError as error:
            assert error.response["error"] == "ratelimited"
            return count
    return at_most


@pytest.mark.parametrize(
    ("method", "per_minute", "retry_after"),
    [("reactions.remove", 20, 3), ("chat.update", 50, 2), ("chat.appendStream", 100, 1)],
)
async def test_a_tier_allows_one_minutes_worth_and_refills_evenly(
    slack: InProcess, clock: Clock, method: str, per_minute: int, retry_after: int
) -> None:
    async def call() -> None:
        try:
            await slack.client.api_call(method, json={"channel": GENERAL, "ts": "1.0", "timestamp": "1.0", "name": "x"})
        except SlackApiError as error:
            if error.response["error"] == "ratelimited":
                raise

    assert await allowed(call) == per_minute
    assert await refused_for(call) == retry_after == math.ceil(60 / per_minute)
    clock.now += retry_after - 0.999
    if retry_after > 1:
        assert await refused_for(call) >= 1
    clock.now += 0.999
    await call()
    clock.now += 30
    assert await allowed(call) in (per_minute // 2, per_minute // 2 + 1)
    clock.now += 600
    assert await allowed(call) == per_minute


async def test_posts_have_a_burst_of_five_and_then_one_a_second_in_each_channel(slack: InProcess, clock: Clock) -> None:
    def post(channel: str) -> Call:
        return lambda: slack.client.chat_postMessage(channel=channel, text="x")

    assert await allowed(post(GENERAL)) == 5 and await refused_for(post(GENERAL)) == 1
    assert await allowed(post(SECRET)) == 5
    assert await allowed(post(ADA)) + await allowed(post(DM)) == 5, "a person's id names their direct message"
    for _ in range(3):
        clock.now += 1
        assert await allowed(post(GENERAL)) == 1
    clock.now += 60
    assert await allowed(post(GENERAL)) == 5
    assert len(await slack.messages(GENERAL)) == 13, "what is refused has no effect"


async def test_each_method_has_a_bucket_of_its_own(slack: InProcess) -> None:
    async def info() -> None:
        await slack.client.users_info(user=ADA)

    async def members() -> None:
        await slack.client.conversations_members(channel=GENERAL)

    assert (await allowed(info), await allowed(members)) == (100, 100)


async def test_each_tier_can_be_scaled_by_itself(slack: InProcess) -> None:
    async def replies() -> None:
        await slack.client.conversations_history(channel=GENERAL)

    async def post() -> None:
        await slack.client.chat_postMessage(channel=GENERAL, text="x")

    await slack.trouble(scale={"3": 0.1, "post": 2})
    assert (await allowed(replies), await allowed(post)) == (5, 10)
    await slack.trouble(scale=0.2)
    assert (await allowed(replies), await allowed(post)) == (10, 1)
    await slack.trouble(scale={"3": 1 / 50})
    assert await allowed(replies) == 1 and await refused_for(replies) == 60
    await slack.trouble(rate_limits="off")
    assert await allowed(replies, at_most=60) == 60


async def test_slacks_own_retry_handler_gets_through_after_its_pause(slack: InProcess, clock: Clock) -> None:
    class OurTime(AsyncRateLimitErrorRetryHandler):
        async def prepare_for_next_attempt_async(
            self, *, state: Any, request: Any, response: Any = None, error: Exception | None = None
        ) -> None:
            clock.now += int(response.headers["Retry-After"][0])
            state.next_attempt_requested = True
            state.increment_current_attempt()

    client = AsyncWebClient(BOT_TOKEN, base_url=slack.api_url, retry_handlers=[OurTime(max_retry_count=1)])
    for n in range(8):
        await client.chat_postMessage(channel=GENERAL, text=f"{n}")
    assert [call["status"] for call in await slack.calls("chat.postMessage")] == [200] * 5 + [429, 200] * 3
    assert [message["text"] for message in await slack.messages(GENERAL)] == [f"{n}" for n in range(8)]


# docs.slack.dev/reference/methods, each method's own page
TIERS = {
    "chat.postMessage": "post", "chat.update": "3", "chat.delete": "3", "chat.postEphemeral": "4",
    "chat.startStream": "2", "chat.appendStream": "4", "chat.stopStream": "2", "conversations.replies": "3",
    "agents.sessions.setStatus": "3", "agents.sessions.rename": "3", "assistant.threads.setTitle": "4",
    "assistant.threads.setSuggestedPrompts": "4", "files.info": "4", "views.open": "4", "views.publish": "4",
    "reactions.add": "3", "users.info": "4", "conversations.info": "3", "auth.test": "special",
}  # fmt: skip


def test_methods_have_the_tiers_that_slack_gives_them() -> None:
    assert {name: METHODS[name].tier for name in TIERS} == TIERS


@given(
    pauses=st.lists(st.floats(0, 10), min_size=1, max_size=60),
    per_minute=st.sampled_from([1, 20, 50, 100]),
)
def test_no_window_lets_more_through_than_its_share_and_who_waits_as_told_gets_through(
    pauses: list[float], per_minute: int
) -> None:
    now, passed = 0.0, []
    bucket = Bucket(per_minute, per_minute / 60, per_minute, now)
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        if wait:
            now += math.ceil(wait)
            assert bucket.take(now) == 0.0
        passed.append(now)
    for first, started in enumerate(passed):
        for last in range(first, len(passed)):
            within = last - first + 1
            assert within <= per_minute + (passed[last] - started) * per_minute / 60 + 1e-6
