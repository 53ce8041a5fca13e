"""manifest.yaml in, the Slack app's manifest out: as it is for Socket Mode, or with a public address for HTTP."""

import argparse
import sys
from typing import Any

import yaml

from bot.slack.manifest import manifest_text


def run(arguments: argparse.Namespace) -> int:
    """Print the manifest."""
    text = manifest_text()
    if arguments.http:
        text = yaml.safe_dump(over_http(yaml.safe_load(text), arguments.http), sort_keys=False, allow_unicode=True)
    sys.stdout.write(text)
    return 0


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
