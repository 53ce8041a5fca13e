"""What a turn costs on Slack's side, and how little a message costs that is not for the bot."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.llama import Llama
from tests.e2e.conftest import Team, team, until

GENERAL, DM = "C0GENERAL", "D0ADA"
STATUS = ("agents.sessions.setStatus", "assistant.threads.setStatus")


@pytest.fixture
async def slack(tmp_path: Path, llama: Llama) -> AsyncIterator[Team]:
    async with team(tmp_path, llama, None, "socket") as deployed:
        yield deployed


async def _calls(slack: Team, since: int) -> Counter[str]:
    return Counter(call["method"] for call in await slack.workspace.calls(since=since))


async def _last_call(slack: Team) -> int:
    calls = await slack.workspace.calls()
    return int(calls[-1]["n"]) if calls else 0


async def test_a_turn_in_a_channel_costs_two_status_calls_one_opening_and_one_closing_call(slack: Team) -> None:
    root, _ = await slack.ask("U0ADA", GENERAL, "@Tandem hello")
    before = await _last_call(slack)
    await slack.ask("U0ADA", GENERAL, "again?", root)

    calls = await _calls(slack, before)
    assert sum(calls.pop(method, 0) for method in STATUS) <= 2
    assert calls == {"chat.postMessage": 1, "chat.update": 1}


async def test_a_turn_in_a_direct_message_costs_one_status_call_and_one_stream(slack: Team) -> None:
    await slack.ask("U0ADA", DM, "hello")
    before = await _last_call(slack)
    await slack.ask("U0ADA", DM, "hello again")

    calls = await _calls(slack, before)
    assert sum(calls.pop(method, 0) for method in STATUS) <= 1
    assert calls.pop("chat.appendStream", 0) <= 1
    assert calls == {"chat.startStream": 1, "chat.stopStream": 1}


async def test_people_and_channels_are_asked_for_once_and_a_known_thread_never_again(slack: Team) -> None:
    root, _ = await slack.ask("U0ADA", GENERAL, "@Tandem hello")
    await slack.ask("U0BEN", GENERAL, "and me?", root)
    await slack.ask("U0ADA", GENERAL, "and again?", root)
    other, _ = await slack.ask("U0ADA", GENERAL, "@Tandem elsewhere")
    await slack.ask("U0BEN", GENERAL, "there too", other)

    calls = await slack.workspace.calls()
    asked = Counter((call["method"], call["args"].get("user") or call["args"].get("channel")) for call in calls)
    assert asked["users.info", "U0ADA"] == asked["users.info", "U0BEN"] == 1
    assert asked["conversations.info", GENERAL] <= 1
    assert not [call for call in calls if call["method"] == "conversations.replies"]


async def test_a_thread_that_the_bot_joins_late_is_read_from_slack_once(slack: Team) -> None:
    root = await slack.workspace.say("U0ADA", GENERAL, "Where shall we have lunch?")
    await slack.workspace.say("U0BEN", GENERAL, "At the harbour", root)
    await slack.ask("U0ADA", GENERAL, "@Tandem what do you think?", root)
    await slack.ask("U0ADA", GENERAL, "sure?", root)

    assert len(await slack.workspace.calls("conversations.replies")) == 1
    said = [message.text for message in await slack.mirrored(GENERAL, root)]
    assert said[:3] == ["Where shall we have lunch?", "At the harbour", "what do you think?"]


async def test_a_message_that_is_not_for_the_bot_costs_no_call_and_no_write(slack: Team) -> None:
    before, calls = _everything(slack), await _last_call(slack)
    root = await slack.workspace.say("U0ADA", GENERAL, "Where shall we have lunch?")
    await slack.workspace.say("U0BEN", GENERAL, "At the harbour", root)
    await slack.workspace.say("U0BEN", GENERAL, "@Ada, are you coming?", root)
    await until(lambda: sum(entry.get("message") == "event" for entry in slack.tandem.log) >= 3)

    assert _everything(slack) == before and not await _calls(slack, calls)
    reasons = [entry["reason"] for entry in slack.tandem.log if entry.get("message") == "event"]
    assert reasons[0] == "not_addressed"


def _everything(slack: Team) -> dict[str, int]:
    """How many rows each table of the mirror has."""
    import sqlite3

    path = slack.environment["TANDEM_STORE"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608
