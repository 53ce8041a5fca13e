"""The command line in, an exit code out: `tandem serve | playground | doctor | manifest`.

0: done, or ended by a signal. 1: something that is configured does not work. 2: it is configured wrongly.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from bot.commands.arguments import parser
from bot.errors import BotError, ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what went wrong is said on stderr, one sentence a line."""
    arguments = parser().parse_args(argv)
    try:
        return int(import_module(f"bot.commands.{arguments.command}").run(arguments))
    except ConfigError as error:
        return _say(error.problems, 2)
    except BotError as error:
        from bot.commands.sentences import sentence

        return _say([sentence(error)], 1)
    except KeyboardInterrupt:
        return 130


def _say(sentences: Sequence[str], code: int) -> int:
    for line in sentences:
        print(f"tandem: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
