"""The environment in, the bot until SIGTERM out: `tandem serve`."""

import argparse
import asyncio
import errno
import sys

from bot.commands.sentences import port_in_use
from bot.config import load_settings, unknown_variables


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; 0 then. Raises ConfigError for settings that cannot work, BotError for what does not."""
    for warning in unknown_variables():
        print(f"tandem: {warning}", file=sys.stderr)
    settings = load_settings(to_serve=True)

    from bot import app  # loads every room

    try:
        return asyncio.run(app.run(settings))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"tandem: {port_in_use(settings.host, settings.port)}", file=sys.stderr)
        return 1
