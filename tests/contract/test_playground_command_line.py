"""`python -m playground` says what is wrong with what it was given, and leaves it as it was."""

import asyncio
import sys
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from playground.errors import WorkspaceFileError
from playground.workspace_file import read_roster
from tests.doubles.in_process import refusal
from tests.doubles.workspace import BOT_TOKEN, ROOT, Workspace


async def run(*arguments: str) -> tuple[int | None, str]:
    """Exit code and standard error of a playground that cannot start."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "playground", "--port", "0", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        _, stderr = await process.communicate()
    return process.returncode, stderr.decode()


GOOD = "team: {id: T1}\napp: {id: A1, user: U9, bot: B1}\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("team: [", "workspace.yaml:1: "),
        ("- 1\n", "workspace.yaml:1: a mapping of settings is expected"),
        ("team: {id: T1}\n", "team and app must be mappings"),
        ("team: {id: T1}\napp: {id: A1}\n", "workspace.yaml:2: app.user is missing"),
        (GOOD + "users:\n  - {name: x}\n", "workspace.yaml:4: each of users needs an id"),
        (GOOD + "users:\n  - {id: U1}\n  - {id: U1}\n", "workspace.yaml:5: U1 is there twice"),
        (GOOD + "users:\n  - {id: X1}\n", "workspace.yaml:4: a user's id starts with U or W"),
        (GOOD + "users:\n  - {id: U1, guest: maybe}\n", "workspace.yaml:4: guest is 'maybe'"),
        (GOOD + "channels:\n  - {id: C1, members: [U7]}\n", "workspace.yaml:4: members names nobody in users: U7"),
        (GOOD + "channels:\n  - {id: C1, kind: odd}\n", "workspace.yaml:4: kind is 'odd'"),
        (GOOD + "channels:\n  - {id: C1, kind: group_dm}\n", "workspace.yaml:4: the id of a group_dm channel starts"),
        (GOOD + "channels: 3\n", "workspace.yaml:3: channels must be a list"),
    ],
)
def test_a_broken_workspace_file_is_refused_with_line_and_reason(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(content)
    with pytest.raises(WorkspaceFileError) as raised:
        read_roster(file)
    assert reason in str(raised.value)


async def test_a_broken_workspace_file_ends_the_start_and_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text("team: [")
    code, stderr = await run("--workspace", str(file))
    assert code == 2 and "workspace.yaml:1: " in stderr and "Traceback" not in stderr
    assert file.read_text() == "team: ["


async def test_a_missing_or_broken_manifest_is_refused(tmp_path: Path) -> None:
    code, stderr = await run("--manifest", str(tmp_path / "none.yaml"))
    assert code == 2 and "cannot be read" in stderr
    broken = tmp_path / "manifest.yaml"
    broken.write_text("features:\n  slash_commands:\n    - {command: model}\n")
    code, stderr = await run("--manifest", str(broken))
    assert code == 2 and "starts with /" in stderr and "Traceback" not in stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--trouble", '{"gremlins":1}'), "--trouble: no such trouble: gremlins=1"),
        (("--trouble", "{"), "--trouble: no JSON: "),
        (("--events", "slack/events"), "'slack/events' is neither `socket` nor an http:// URL"),
        (("--port", "70000"), "'70000' is no port: 0 to 65535"),
    ],
)
async def test_a_wrong_option_is_refused_with_its_reason(arguments: tuple[str, ...], reason: str) -> None:
    code, stderr = await run(*arguments)
    assert code == 2 and reason in stderr and "Traceback" not in stderr


async def test_trouble_may_begin_with_the_start() -> None:
    trouble = '{"fail":[{"method":"*","kind":"error","error":"fatal_error"}],"timing":{"ack_s":0.5}}'
    async with Workspace(options=["--trouble", trouble]) as workspace:
        client = AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)
        assert await refusal(client.auth_test()) == "fatal_error"
        assert (await client.auth_test())["ok"]


async def test_a_port_in_use_is_said_with_what_to_do() -> None:
    async with Workspace() as first:
        code, stderr = await run("--port", first.url.rpartition(":")[2])
    assert code == 1 and "Is another playground running?" in stderr and "Traceback" not in stderr


async def test_a_playground_of_its_own_process_takes_questions_and_ends_cleanly() -> None:
    async with Workspace() as workspace:
        await workspace.say("U0ADA", "C0GENERAL", "@Tandem hello")
        assert (await workspace.messages("C0GENERAL"))[0]["text"] == "<@U0BOT> hello"
    process = workspace._process
    assert process is not None and process.returncode == 0
