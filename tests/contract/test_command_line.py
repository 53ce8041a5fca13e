"""`tandem serve`, `doctor` and `manifest` as an operator meets them: what is said, and the exit code."""

import asyncio
import os
import re
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from bot.store import open_mirror
from bot.store.schema import VERSION
from tests.doubles.gemini_server import NOT_ENABLED, gemini_server
from tests.doubles.gemma_server import gemma_server
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with Workspace() as workspace:
        yield workspace


def working(slack: Workspace, folder: Path) -> dict[str, str]:
    """Settings with which everything works."""
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "TANDEM_DEFAULT_MODEL": "demo",
        "TANDEM_STORE": f"sqlite:///{folder / 'mirror.db'}",
        "PORT": "0",
    }


async def tandem(*words: str, env: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run one command to its end: the exit code, and what it said."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_serve_names_all_that_is_missing_or_wrong_one_sentence_a_line(tmp_path: Path) -> None:
    code, said = await tandem("serve", env={"TANDEM_LEASE_S": "soon", "TANDEM_LEASES": "1"}, folder=tmp_path)

    assert code == 2
    assert [line.split()[1] for line in said.splitlines()] == [
        *("TANDEM_LEASES", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "No", "TANDEM_LEASE_S"),
    ]


async def test_serve_says_that_slack_does_not_take_the_token(slack: Workspace, tmp_path: Path) -> None:
    env = working(slack, tmp_path) | {"SLACK_BOT_TOKEN": "xoxb-of-yesterday"}

    code, said = await tandem("serve", env=env, folder=tmp_path)

    assert code == 1
    assert said.splitlines()[-1].startswith("tandem: Slack does not take SLACK_BOT_TOKEN (invalid_auth)")
    assert "Traceback" not in said


async def test_serve_says_that_the_app_token_is_wrong(slack: Workspace, tmp_path: Path) -> None:
    env = working(slack, tmp_path) | {"SLACK_APP_TOKEN": "xapp-of-yesterday"}

    code, said = await tandem("serve", env=env, folder=tmp_path)

    assert code == 1
    assert said.splitlines()[-1].startswith("tandem: Slack does not take SLACK_APP_TOKEN (invalid_auth)")


async def test_serve_says_that_its_port_is_in_use(slack: Workspace, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, said = await tandem("serve", env=working(slack, tmp_path) | {"PORT": str(port)}, folder=tmp_path)

    assert code == 2
    assert str(port) in said
    assert "Traceback" not in said


async def test_serve_says_that_its_store_cannot_be_opened(slack: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mirror.db").write_text("this is a letter, not a database; it is long enough to be looked at" * 20)

    code, said = await tandem("serve", env=working(slack, tmp_path), folder=tmp_path)

    assert code == 1
    assert "mirror.db" in said
    assert "Traceback" not in said


async def test_serve_says_that_its_store_was_written_by_another_version(slack: Workspace, tmp_path: Path) -> None:
    await (await open_mirror(f"sqlite:///{tmp_path / 'mirror.db'}")).close()
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as db, db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")

    code, said = await tandem("serve", env=working(slack, tmp_path), folder=tmp_path)

    assert code == 1
    assert said.splitlines()[-1] == (
        f"tandem: {tmp_path / 'mirror.db'} holds schema {VERSION + 1}, and this Tandem reads {VERSION}. "
        "Start the newer Tandem that wrote it, or name another store."
    )


async def test_serve_names_two_entries_of_one_id(slack: Workspace, tmp_path: Path) -> None:
    entry = """
        [[model]]
        id = "gemma"
        label = "Gemma"
        provider = "gemma"
        where = "self-hosted"
        context_tokens = 4096
        answer_tokens = 512
        """
    (tmp_path / "models.toml").write_text(dedent(entry * 2))

    code, said = await tandem("serve", env=working(slack, tmp_path) | {"TANDEM_MODELS": "models.toml"}, folder=tmp_path)

    assert code == 2
    assert said.splitlines()[-1] == "tandem: models.toml: 2 entries have the id 'gemma'; give each its own."


async def test_serve_names_the_line_of_an_unreadable_catalogue(slack: Workspace, tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text('[[model]]\nid = "gemma\n')

    env = working(slack, tmp_path) | {"TANDEM_MODELS": "models.toml"}
    code, said = await tandem("serve", env=env, folder=tmp_path)

    assert code == 2
    assert re.search(r"models\.toml.*line 2", said)


async def test_doctor_finds_nothing_wrong_where_nothing_is(slack: Workspace, tmp_path: Path) -> None:
    code, said = await tandem("doctor", env=working(slack, tmp_path), folder=tmp_path)

    assert code == 0
    assert [line.split("  ")[0] for line in said.splitlines()] == [
        *("✓ settings", "✓ bot token", "✓ app token", "✓ store", "✓ demo"),
    ]


async def test_doctor_goes_on_after_each_thing_that_is_wrong(slack: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mirror.db").mkdir()
    env = working(slack, tmp_path) | {"SLACK_BOT_TOKEN": "xoxb-no", "SLACK_APP_TOKEN": "xapp-no"}
    env |= {"TANDEM_DEFAULT_MODEL": "", "GEMMA_URL": "http://127.0.0.1:9"}

    code, said = await tandem("doctor", env=env, folder=tmp_path)

    assert code == 1
    assert [line.split("  ")[0] for line in said.splitlines()] == [
        *("✓ settings", "✗ bot token", "✗ app token", "✗ store", "✗ gemma"),
    ]
    assert "Traceback" not in said


async def test_doctor_says_what_is_wrong_with_each_model_and_which_setting_mends_it(
    slack: Workspace, tmp_path: Path, unused_tcp_port: int
) -> None:
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    async with gemma_server() as gemma, gemini_server() as gemini:
        gemma.absent = {"/generate"}
        gemini.refuses_all = NOT_ENABLED
        credentials = str(gemini.write_credentials(tmp_path / "credentials.json"))
        project = {"GOOGLE_CLOUD_PROJECT": "a-project", "GOOGLE_VERTEX_BASE_URL": gemini.url}
        key = {"GEMINI_API_KEY": "a-key", "GOOGLE_GEMINI_BASE_URL": nowhere}
        wrong: list[tuple[dict[str, str], list[str]]] = [
            (
                {"GEMMA_URL": nowhere, "GOOGLE_APPLICATION_CREDENTIALS": credentials, **project},
                [
                    f"{nowhere}/v1/models cannot be reached (connection refused); "
                    "check GEMMA_URL, and that its server runs",
                    "The Vertex AI API is not enabled in project a-project. Run `gcloud services enable "
                    "aiplatform.googleapis.com --project a-project` and wait a minute",
                ],
            ),
            (
                {"GEMMA_URL": gemma.url, "GEMMA_DIALECT": "generate", **key},
                [
                    f"{gemma.url}/generate does not exist there (HTTP 404); check GEMMA_URL and GEMMA_DIALECT",
                    "gemini-3.8-flash cannot be reached (connection refused); check the network and a proxy",
                ],
            ),
            (
                {"GEMMA_URL": gemma.url, "GEMMA_MODEL": "gemma-27b"},
                [f"{gemma.url}/v1/models serves 'gemma', not 'gemma-27b'; check GEMMA_MODEL"],
            ),
        ]
        for settings, expected in wrong:
            env = working(slack, tmp_path) | {"TANDEM_DEFAULT_MODEL": ""} | settings
            code, said = await tandem("doctor", env=env, folder=tmp_path)

            found = [line.split(maxsplit=2)[2] for line in said.splitlines() if line.startswith("✗")]
            assert (code, found[: len(expected)]) == (1, expected)  # gemini-lite's line is gemini's once more


async def test_doctor_names_a_missing_scope_with_the_line_that_adds_it(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yaml").read_text("utf-8"))
    manifest["oauth_config"]["scopes"]["bot"].remove("users:read")
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    async with Workspace(manifest=tmp_path / "manifest.yaml") as slack:
        code, said = await tandem("doctor", env=working(slack, tmp_path), folder=tmp_path)

    assert code == 1
    [wrong] = [line for line in said.splitlines() if line.startswith("✗")]
    assert "lacks the scope users:read" in wrong
    assert "`- users:read " in wrong


async def test_doctor_says_that_slack_cannot_be_reached(tmp_path: Path) -> None:
    env = {"SLACK_API_URL": "http://127.0.0.1:9/api", "SLACK_BOT_TOKEN": BOT_TOKEN, "TANDEM_DEFAULT_MODEL": "demo"}

    code, said = await tandem("doctor", env=env, folder=tmp_path)

    assert code == 1
    assert "✗ bot token   Slack cannot be reached: auth.test" in said


async def test_manifest_prints_what_is_pasted_at_slack(tmp_path: Path) -> None:
    code, said = await tandem("manifest", env={}, folder=tmp_path)

    assert (code, said) == (0, (ROOT / "manifest.yaml").read_text("utf-8"))


async def test_manifest_over_http_sends_slack_to_the_address_that_was_given(tmp_path: Path) -> None:
    code, said = await tandem("manifest", "--http", "https://bot.example.com/", env={}, folder=tmp_path)

    assert code == 0
    events = yaml.safe_load(said)["settings"]["event_subscriptions"]
    assert events["request_url"] == "https://bot.example.com/slack/events"


async def test_manifest_refuses_an_address_that_slack_would_not_call(tmp_path: Path) -> None:
    for address in ("bot.example.com", "http://bot.example.com", "https://", "https://bot.example.com?a=b", ""):
        code, said = await tandem("manifest", "--http", address, env={}, folder=tmp_path)

        assert code == 2
        assert f"{address!r} is no address that Slack calls: https://bot.example.com would be" in said
        assert "request_url" not in said


async def test_the_command_line_explains_itself_quickly(tmp_path: Path) -> None:
    code, said = await tandem("--help", env={}, folder=tmp_path)

    assert code == 0
    for command in ("serve", "playground", "doctor", "manifest"):
        assert command in said
