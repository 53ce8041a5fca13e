"""Words of the command line in, parsed arguments out; loads nothing that only one of the commands needs."""

import argparse
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PAGE_PORT = 3000
# Slack calls nothing but https. No question mark and no fragment: a path is put behind it.
_ADDRESS = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?(/[^\s?#]*)?", re.IGNORECASE)
WEIGHTS = Path.home() / ".cache" / "tandem" / "weights"


def parser() -> argparse.ArgumentParser:
    """The whole command line; `command` names the module of bot.commands whose `run` takes what was parsed."""
    whole = argparse.ArgumentParser(prog="tandem", description="Gemma and Gemini in your Slack threads.")
    whole.add_argument("--version", action="version", version=f"tandem {_version()}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")

    command("serve", "answer in a Slack workspace, until SIGTERM; everything is a setting")
    _playground(command("playground", "open a local Slack in the browser, with the bot and a model behind it"))
    command("doctor", "check settings, tokens, scopes, store and models, one line each")
    manifest = command("manifest", "print the Slack app's manifest")
    manifest.add_argument(
        "--http", type=_address, metavar="URL", help="for an app that Slack reaches at this public address (https://…)"
    )
    return whole


def _playground(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=_port, help=f"the page's port (default: {PAGE_PORT}, or the next that is free)")
    command.add_argument("--small", action="store_true", help="Gemma 3 270M (0.3 GB) instead of 1B (0.8 GB)")
    command.add_argument("--no-download", action="store_true", help="never fetch weights; the demo model answers")
    command.add_argument(
        "--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="where weights are kept (default: %(default)s)"
    )
    command.add_argument("--verbose", action="store_true", help="show all that the processes log")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number up to 65535 is, and 0 for any that is free")
    return int(text)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address that Slack calls: https://bot.example.com would be")
    return text.rstrip("/")


def _version() -> str:
    try:
        return version("tandem-slack")
    except PackageNotFoundError:
        return "(not installed)"
