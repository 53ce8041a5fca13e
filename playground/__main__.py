"""The command line: `python -m playground` serves a local Slack until it is interrupted."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playground.errors import SlackError, WorkspaceFileError
from playground.json_text import decoded
from playground.local_slack import Credentials, LocalSlack
from playground.manifest import Manifest, everything, read_manifest
from playground.server import Server
from playground.trouble import set_trouble
from playground.workspace_file import DEFAULT_FILE, read_roster

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main() -> int:
    """Read the files, serve, and say what is wrong when that cannot be done."""
    options = _parser().parse_args()
    try:
        slack = _slack(options)
    except WorkspaceFileError as error:
        print(f"playground: {error}", file=sys.stderr)
        return 2
    except SlackError as error:
        print(f"playground: --trouble: {error.details['message']}", file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_serve(slack, options.host, options.port))
    return 0


async def _serve(slack: LocalSlack, host: str, port: int) -> int:
    server = Server(slack, host=host, port=port)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    try:
        print(f"playground ready {await server.start()}", flush=True)
    except OSError as error:
        await server.stop()
        print(
            f"playground: cannot listen on {host}:{port} ({error.strerror}). Is another playground running? "
            "Stop it, or choose another port with --port (0 picks a free one).",
            file=sys.stderr,
        )
        return 1
    await stopped.wait()
    await server.stop()
    return 0


def _slack(options: argparse.Namespace) -> LocalSlack:
    manifest = _manifest(options.manifest)
    roster = read_roster(options.workspace, app_name=manifest.name)
    credentials = Credentials(options.bot_token, options.app_token, options.signing_secret)
    url = "" if options.events == "socket" else options.events
    slack = LocalSlack(roster, manifest, credentials, url, options.inspect)
    set_trouble(slack.trouble, slack.timing, options.trouble)
    return slack


def _manifest(path: Path | None) -> Manifest:
    """The manifest that is named, else ./manifest.yaml, else an app that may do everything."""
    if path is None and not Path("manifest.yaml").is_file():
        return everything()
    return read_manifest(path or Path("manifest.yaml"))


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _events(text: str) -> str:
    if text != "socket" and not (urlsplit(text).scheme in ("http", "https") and urlsplit(text).hostname):
        raise argparse.ArgumentTypeError(f"{text!r} is neither `socket` nor an http:// URL")
    return text


def _json(text: str) -> Any:
    try:
        return decoded(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from None


def _loopback_url(text: str) -> str:
    """An http URL on this machine: what the bot shows there is nobody else's business."""
    parts = urlsplit(text)
    if text and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
        raise argparse.ArgumentTypeError(f"{text!r} is no http:// URL on 127.0.0.1, such as the bot's /inspect")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m playground", description="A local Slack to try an app in.")
    known = Credentials()
    parser.add_argument("--port", type=_port, default=3000, help="where to listen; 0 picks a free port")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--manifest", type=Path, help="the app's manifest.yaml (./manifest.yaml if there is one)")
    parser.add_argument("--workspace", type=Path, default=DEFAULT_FILE, help="team, people and channels, as YAML")
    parser.add_argument(
        "--events", type=_events, default="socket", help="`socket`, or the URL that takes signed HTTP events"
    )
    parser.add_argument(
        "--trouble", type=_json, default={}, help='misbehave from the start: {"rate_limits": "documented"} as JSON'
    )
    parser.add_argument(
        "--inspect", type=_loopback_url, default="", help="URL where the bot shows its mirror of a thread"
    )
    parser.add_argument("--bot-token", default=known.bot_token)
    parser.add_argument("--app-token", default=known.app_token)
    parser.add_argument("--signing-secret", default=known.signing_secret)
    return parser


if __name__ == "__main__":
    sys.exit(main())
