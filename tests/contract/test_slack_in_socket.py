"""Events over Socket Mode, from the playground through the real SDK and Bolt: accepted before the ack, and not lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.payloads import payload
from tests.doubles.recording_intake import RecordingIntake
from tests.doubles.slack_side import SlackSide, all_acked, slack_side, until
from tests.doubles.workspace import Workspace

ADA, GENERAL, DM = "U0ADA", "C0GENERAL", "D0ADA"
# https://docs.slack.dev/reference/events: some that a careless manifest would subscribe to, and one of the future
EVENT_TYPES = (
    "app_requested",
    "assistant_thread_started",
    "assistant_thread_context_changed",
    "call_rejected",
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_history_changed",
    "channel_left",
    "channel_rename",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "dnd_updated",
    "email_domain_changed",
    "emoji_changed",
    "file_change",
    "file_created",
    "file_deleted",
    "file_public",
    "file_shared",
    "group_left",
    "im_close",
    "im_open",
    "invite_requested",
    "link_shared",
    "member_joined_channel",
    "member_left_channel",
    "message_metadata_posted",
    "pin_added",
    "pin_removed",
    "reaction_added",
    "reaction_removed",
    "shared_channel_invite_accepted",
    "star_added",
    "subteam_created",
    "team_join",
    "team_rename",
    "user_change",
    "workflow_published",
    "agent_session_title_changed",
    "an_event_of_the_future",
)


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace() as running:
        await running.trouble(timing={"retry_delays_s": [0.1, 0.5, 3.0], "disconnect_warning_s": 0.5})
        yield running


async def test_a_mention_is_one_turn_though_two_events_announce_it(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace):
        ts = await workspace.say(ADA, GENERAL, "@Tandem what is <b>?")
        await all_acked(workspace, 2)

    assert len(side.intake.arrivals) == 2
    assert side.intake.turns == {f"{GENERAL}:{ts}": "what is <b>?"}


async def test_edits_deletions_and_stops_reach_the_core(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace):
        ts = await workspace.say(ADA, DM, "hello")
        await workspace.edit(ADA, DM, ts, "hello again")
        await until(lambda: side.intake.edits)
        await workspace.delete(ADA, DM, ts)
        await until(lambda: side.intake.deletions)
        await workspace.deliver(payload("agent_session_stopped"))
        await until(lambda: side.intake.stops)

    assert side.intake.edits[0].text == "hello again"
    assert side.intake.deletions[0].ts == ts


async def test_our_own_messages_their_updates_and_deletions_are_told_apart(
    workspace: Workspace, side: SlackSide
) -> None:
    client = side.connection.client
    async with side.connected(workspace):
        root = await workspace.say(ADA, DM, "hello")
        posted = await client.chat_postMessage(channel=DM, thread_ts=root, text="an answer")
        await client.chat_update(channel=DM, ts=posted["ts"], text="a longer answer")
        await until(lambda: side.intake.edits)
        await workspace.delete(ADA, DM, posted["ts"])
        await until(lambda: side.intake.deletions)

    assert [arrival.sender for arrival in side.intake.arrivals] == ["person", "ourselves"]
    assert side.intake.edits[0].by_us
    assert side.intake.deletions[0].ts == posted["ts"]
    assert side.intake.deletions[0].thread.thread_ts == root


async def test_an_event_that_the_store_cannot_take_comes_again(workspace: Workspace, side: SlackSide) -> None:
    side.intake.failures = 2
    async with side.connected(workspace):
        ts = await workspace.say(ADA, DM, "hello")
        (delivery,) = await all_acked(workspace, 1)

    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    assert [attempt["acked"] for attempt in attempts] == [False, False, True]
    assert side.intake.turns == {f"{DM}:{ts}": "hello"}


async def test_an_event_that_the_store_takes_too_slowly_comes_again(workspace: Workspace, tmp_path: Path) -> None:
    intake = RecordingIntake(takes_s=5.0)
    async with slack_side(workspace, tmp_path, intake=intake, accept_s=0.2) as side, side.connected(workspace):
        await workspace.trouble(timing={"ack_s": 0.6})
        ts = await workspace.say(ADA, DM, "hello")
        await until(lambda: intake.calls == 1)
        intake.takes_s = 0.0
        await all_acked(workspace, 1)

    assert intake.turns == {f"{DM}:{ts}": "hello"}


async def test_an_event_that_comes_only_as_a_retry_is_taken(workspace: Workspace, side: SlackSide) -> None:
    await workspace.trouble(events={"lose": 1.0})
    async with side.connected(workspace):
        ts = await workspace.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert list(side.intake.turns) == [f"{DM}:{ts}"]


async def test_no_event_type_is_left_without_an_ack(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace):
        for event_type in EVENT_TYPES:
            await workspace.post("event", event={"type": event_type, "user": ADA, "event_ts": "1763000000.000100"})
        await workspace.deliver(payload("message_changed_by_unfurl"))
        await workspace.deliver({"type": "app_rate_limited", "team_id": "T0TANDEM", "minute_rate_limited": 1763000000})
        await workspace.deliver({"type": "event_callback", "event": None, "team_id": "T0TANDEM"})
        await workspace.deliver({"type": "event_callback", "event": {"type": ["x"]}, "authorizations": 7})
        deliveries = await all_acked(workspace, len(EVENT_TYPES) + 4)

    assert len(EVENT_TYPES) >= 40
    assert all(len(each["attempts"]) == 1 for each in deliveries)


async def test_events_for_another_installation_are_acknowledged_and_left(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace):
        await workspace.deliver(payload("connect_twin_for_another_installation"))
        await all_acked(workspace, 1)

    assert not side.intake.arrivals
