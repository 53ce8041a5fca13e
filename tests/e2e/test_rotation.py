"""A token is changed on the app's page and in its mounted file: the running bot goes on answering."""

import dataclasses
from pathlib import Path

import pytest

from tests.doubles.in_process import ADA, DM, InProcess
from tests.doubles.tandem import serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN
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
