"""manifest.yaml in, the Slack app's manifest out: as it is for Socket Mode, or with a public address for HTTP."""

import argparse
import sys
from importlib.resources import files
from typing import Any

import yaml


def run(arguments: argparse.Namespace) -> int:
    """Print the manifest."""
    text = manifest_text()
    if arguments.http:
        text = yaml.safe_dump(over_http(yaml.safe_load(text), arguments.http), sort_keys=False, allow_unicode=True)
    sys.stdout.write(text)
    return 0


def manifest_text() -> str:
    """manifest.yaml, which lies beside the package's modules, in a checkout as in a wheel."""
    return files("bot").joinpath("manifest.yaml").read_text("utf-8")


def bot_scopes() -> dict[str, str]:
    """The scopes that the manifest asks for, each with its line as it stands there."""
    scopes = yaml.safe_load(manifest_text())["oauth_config"]["scopes"]["bot"]
    lines = [line.strip() for line in manifest_text().splitlines()]
    return {scope: next(line for line in lines if line.split()[:2] == ["-", scope]) for scope in scopes}


def over_http(manifest: dict[str, Any], url: str) -> dict[str, Any]:
    """The same app with Slack's requests sent to `url`/slack/events instead of a socket."""
    address = f"{url.rstrip('/')}/slack/events"
    settings = manifest["settings"]
    settings["socket_mode_enabled"] = False
    settings["event_subscriptions"] = {"request_url": address, **settings["event_subscriptions"]}
    settings["interactivity"]["request_url"] = address
    for command in manifest["features"]["slash_commands"]:
        command["url"] = address
    return manifest
