"""manifest.yaml in, what the Slack app asks for and offers out; and a missing scope as the line that adds it."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml


def manifest_text() -> str:
    """manifest.yaml, which lies beside the package's modules, in a checkout as in a wheel."""
    return files("bot").joinpath("manifest.yaml").read_text("utf-8")


def bot_scopes() -> dict[str, str]:
    """The scopes that the manifest asks for, each with its line as it stands there."""
    text = manifest_text()
    lines = [line.strip() for line in text.splitlines()]
    scopes = yaml.safe_load(text)["oauth_config"]["scopes"]["bot"]
    return {scope: next(line for line in lines if line.split()[:2] == ["-", scope]) for scope in scopes}


def suggested_prompts() -> Sequence[Mapping[str, str]]:
    """What the app's direct message offers to begin with; `title` and `message` each."""
    manifest: dict[str, Any] = yaml.safe_load(manifest_text())
    prompts: Sequence[Mapping[str, str]] = manifest["features"]["agent_view"]["suggested_prompts"]
    return prompts


def missing_scope(scope: str) -> str:
    """How to add a scope that a token lacks, for whoever runs the bot."""
    if scope == "connections:write":
        return "SLACK_APP_TOKEN lacks connections:write: make a new app-level token with it on Basic Information."
    line = bot_scopes().get(scope, f"- {scope}")
    return (
        f"The bot token lacks the scope {scope}: in your app's manifest add the line `{line}` under "
        "oauth_config.scopes.bot, then reinstall the app."
    )
