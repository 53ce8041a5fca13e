"""The command line in, an exit code out: `tandem serve | playground | doctor | manifest`.

0: done, or ended by a signal. 1: something that is configured does not work. 2: it is configured wrongly.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from bot.errors import BotError, ConfigError

# Each is a module of bot.commands with `add_arguments(parser)` and `run(arguments) -> int`; only the chosen one's
# libraries are loaded, by its `run`.
COMMANDS = {
    "serve": "answer in a Slack workspace, until SIGTERM",
    "playground": "open a local Slack in the browser, with the bot and a model behind it",
    "doctor": "check settings, tokens, scopes, store and models, one line each",
    "manifest": "print the Slack app's manifest",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what went wrong is said on stderr, one sentence a line."""
    arguments = _parser().parse_args(argv)
    try:
        return int(import_module(f"bot.commands.{arguments.command}").run(arguments))
    except ConfigError as error:
        return _say(error.problems, 2)
    except BotError as error:
        from bot.commands.sentences import sentence

        return _say([sentence(error)], 1)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tandem", description="Gemma and Gemini in your Slack threads.")
    parser.add_argument("--version", action="version", version=f"tandem {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        import_module(f"bot.commands.{name}").add_arguments(command)
    return parser


def _version() -> str:
    try:
        return version("tandem-slack")
    except PackageNotFoundError:
        return "(not installed)"


def _say(sentences: Sequence[str], code: int) -> int:
    for line in sentences:
        print(f"tandem: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
