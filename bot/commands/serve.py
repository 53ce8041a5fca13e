"""The environment in, the bot until SIGTERM out: `tandem serve`."""

import argparse
import asyncio
import sys

from bot.config import load_settings, setting_files, unknown_variables


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; 0 then. Raises ConfigError for settings that cannot work, BotError for what does not."""
    for warning in unknown_variables():
        print(f"tandem: {warning}", file=sys.stderr)
    settings = load_settings(to_serve=True)

    from bot.app import run as serve  # loads every room, which bad settings need not wait for

    return asyncio.run(serve(settings, setting_files()))
