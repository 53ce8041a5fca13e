"""A token is changed on the app's page and in its mounted file: the running bot goes on answering."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.contract.test_slack_in_http import BODY, signed
from tests.doubles.gemma_server import gemma_server
from tests.doubles.in_process import ADA, DM, InProcess
from tests.doubles.tandem import serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.e2e.conftest import free_port, until

NEW = {"bot_token": "xoxb-renewed", "app_token": "xapp-renewed"}


@pytest.mark.timeout(90)
async def test_the_bot_answers_with_new_tokens_and_was_not_restarted(tmp_path: Path) -> None:
    files = {"SLACK_BOT_TOKEN": tmp_path / "bot", "SLACK_APP_TOKEN": tmp_path / "app"}
    files["SLACK_BOT_TOKEN"].write_text(BOT_TOKEN)
    files["SLACK_APP_TOKEN"].write_text(APP_TOKEN)
    async with InProcess() as slack:
        environment = {
            **{f"{name}_FILE": str(path) for name, path in files.items()},
            "SLACK_API_URL": slack.api_url,
            "PORT": str(free_port()),
            "TANDEM_DEFAULT_MODEL": "demo",
            "TANDEM_STORE": f"sqlite:///{tmp_path / 'tandem.db'}",
        }
        async with serving(environment, tmp_path / "tandem.log") as tandem:
            slack.slack.credentials = dataclasses.replace(slack.slack.credentials, **NEW)
            files["SLACK_BOT_TOKEN"].write_text(NEW["bot_token"])
            files["SLACK_APP_TOKEN"].write_text(NEW["app_token"])
            await until(lambda: sum("secret renewed" in str(line["message"]) for line in tandem.log) == 2, 20)

            ts = await slack.say(ADA, DM, "hello")
            (answer,) = await slack.reply(DM, ts, ts)

            assert answer["user"] == "U0BOT"
            assert not [line for line in tandem.log if NEW["bot_token"] in str(line) or NEW["app_token"] in str(line)]


@pytest.mark.timeout(90)
async def test_over_http_the_new_signing_secret_counts_and_gemma_gets_its_new_key(tmp_path: Path) -> None:
    files = {"SLACK_SIGNING_SECRET": tmp_path / "signing", "GEMMA_API_KEY": tmp_path / "key"}
    files["SLACK_SIGNING_SECRET"].write_text(SIGNING_SECRET)
    files["GEMMA_API_KEY"].write_text("old-key")
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    async with (
        InProcess(events_url=url) as slack,
        gemma_server(key="old-key") as gemma,
        aiohttp.ClientSession() as http,
    ):
        environment = {
            **{f"{name}_FILE": str(path) for name, path in files.items()},
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": slack.api_url,
            "TANDEM_TRANSPORT": "http",
            "PORT": str(port),
            "GEMMA_URL": gemma.url,
            "TANDEM_STORE": f"sqlite:///{tmp_path / 'tandem.db'}",
        }
        async with serving(environment, tmp_path / "tandem.log") as tandem:
            files["SLACK_SIGNING_SECRET"].write_text("renewed-secret")
            files["GEMMA_API_KEY"].write_text("new-key")
            gemma.key = "new-key"
            await until(lambda: sum("secret renewed" in str(line["message"]) for line in tandem.log) == 2, 20)

            ts = await slack.say(ADA, DM, "hello")  # still signed with the old secret, as it was on its way
            (answer,) = await slack.reply(DM, ts, ts)

            assert answer["user"] == "U0BOT" and len(gemma.requests) == 1
            assert await status(http, url, signed(BODY, secret="renewed-secret")) == 200
            assert await status(http, url, signed(BODY, secret="somebody-elses")) == 401


async def status(http: aiohttp.ClientSession, url: str, headers: list[tuple[str, str]]) -> int:
    """What a POST of an event gets."""
    every: Mapping[str, str] = {"Content-Type": "application/json", **dict(headers)}
    async with http.post(url, data=BODY, headers=every) as answer:
        return answer.status
