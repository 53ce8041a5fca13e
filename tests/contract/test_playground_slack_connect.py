"""People of another company meet the app in a shared channel, as Slack Connect has it."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground.errors import WorkspaceFileError
from playground.workspace_file import read_roster
from tests.doubles.in_process import ADA, GENERAL, TEAM, InProcess, refusal
from tests.doubles.shared_channel import HELPER, OTHER_TEAM, SHARED, STRANGER, ZED, write_workspace
from tests.doubles.socket_app import SocketApp
from tests.doubles.workspace import Refused

JSON = dict[str, Any]


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[InProcess]:
    async with InProcess(file=write_workspace(tmp_path)) as running:
        yield running


async def event(slack: InProcess, kind: str = "message") -> JSON:
    """The latest inner event of a kind."""
    sent = [delivery["payload"] for delivery in await slack.deliveries()]
    return dict([envelope["event"] for envelope in sent if envelope["event"]["type"] == kind][-1])


async def test_an_outsiders_mention_names_their_team_and_the_apps_own(slack: InProcess) -> None:
    await slack.say(ZED, SHARED, "@Tandem hello")
    envelope = (await slack.deliveries())[-1]["payload"]
    assert envelope["is_ext_shared_channel"] and envelope["team_id"] == TEAM
    assert envelope["authorizations"][0]["team_id"] == TEAM
    said = envelope["event"]
    assert (said["user"], said["team"], said["user_team"], said["source_team"]) == (ZED, *[OTHER_TEAM] * 3)
    await slack.say(ADA, SHARED, "@Tandem hello")
    assert "user_team" not in await event(slack)


async def test_a_shared_channel_says_with_whom(slack: InProcess) -> None:
    shown = (await slack.client.conversations_info(channel=SHARED))["channel"]
    assert shown["is_ext_shared"] and shown["shared_team_ids"] == [OTHER_TEAM, TEAM]
    assert shown["connected_team_ids"] == [OTHER_TEAM]
    assert not (await slack.client.conversations_info(channel=GENERAL))["channel"]["is_ext_shared"]


async def test_an_outsider_is_a_stranger_only_where_the_app_never_meets_them(slack: InProcess) -> None:
    zed = (await slack.client.users_info(user=ZED))["user"]
    assert (zed["team_id"], zed["is_stranger"]) == (OTHER_TEAM, False)
    assert (await slack.client.users_info(user=STRANGER))["user"]["is_stranger"] is True
    assert "is_stranger" not in (await slack.client.users_info(user=ADA))["user"]
    members = [member["id"] for member in (await slack.client.users_list())["members"]]
    assert ADA in members and ZED not in members


async def test_an_answer_is_streamed_to_an_outsider_under_their_own_team(slack: InProcess) -> None:
    root = await slack.say(ZED, SHARED, "@Tandem hello")
    place: JSON = {"channel": SHARED, "thread_ts": root, "markdown_text": "Hello", "recipient_user_id": ZED}
    wrong = slack.client.chat_startStream(**place, recipient_team_id=TEAM)
    assert await refusal(wrong) == "team_not_found"
    ts = (await slack.client.chat_startStream(**place, recipient_team_id=OTHER_TEAM))["ts"]
    await slack.client.chat_stopStream(channel=SHARED, ts=ts)
    assert [message["text"] for message in await slack.messages(SHARED, root, user=ZED)][-1] == "Hello"


async def test_an_outsider_sees_the_shared_channel_alone_and_has_no_direct_message(slack: InProcess) -> None:
    seen = (await slack.get("workspace", **{"as": ZED}))["channels"]
    assert [channel["id"] for channel in seen] == [SHARED]
    with pytest.raises(Refused, match="channel_not_found"):
        await slack.say(ZED, GENERAL, "hello")
    assert await refusal(slack.client.conversations_open(users=ZED)) == "user_not_visible"


async def test_an_outsider_has_no_slash_commands_but_may_click(slack: InProcess) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    async with SocketApp(slack) as app:
        with pytest.raises(Refused, match="unknown_command"):
            await slack.command(ZED, SHARED, "/model")
        ts = (await slack.client.chat_postMessage(channel=SHARED, text="go", blocks=blocks))["ts"]
        await slack.click(ZED, SHARED, ts, "go")
        click = next(frame["payload"] for frame in app.frames if frame["type"] == "interactive")
    assert (click["user"]["id"], click["user"]["team_id"], click["team"]["id"]) == (ZED, OTHER_TEAM, TEAM)


async def test_an_outsiders_file_is_a_stub_that_files_info_fills(slack: InProcess) -> None:
    file = {"name": "a.txt", "mimetype": "text/plain", "content_base64": base64.b64encode(b"hi").decode()}
    await slack.say(ZED, SHARED, "look", files=[file])
    (stub,) = (await event(slack))["files"]
    assert set(stub) == {"id", "mode", "file_access"} and stub["file_access"] == "check_file_info"
    assert (await slack.client.files_info(file=stub["id"]))["file"]["size"] == 2
    await slack.say(ADA, SHARED, "look", files=[file])
    assert (await event(slack))["files"][0]["size"] == 2


async def test_another_apps_bot_is_told_apart_from_people(slack: InProcess) -> None:
    await slack.say(HELPER, SHARED, "@Tandem beep")
    said = await event(slack, "app_mention")
    assert (said["user"], said["bot_id"]) == (HELPER, "B0HELPER") and "client_msg_id" not in said


def test_outsiders_in_a_channel_that_is_not_shared_are_a_broken_file(tmp_path: Path) -> None:
    file = write_workspace(tmp_path)
    file.write_text(file.read_text("utf-8").replace(" shared: true,", ""), "utf-8")
    with pytest.raises(WorkspaceFileError, match=r"workspace\.yaml:\d+: it has members of T0OTHER and T0TANDEM"):
        read_roster(file)
