"""The environment in, the bot until SIGTERM out: `tandem serve`."""

import argparse
import sys

from bot.config import load_settings, setting_files, unknown_variables

_SWITCH_S = 0.001  # a store's own thread, whose work turns wait for, waits so long for a busy loop; by default 5 ms


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; 0 then. Raises ConfigError for settings that cannot work, BotError for what does not."""
    for warning in unknown_variables():
        print(f"tandem: {warning}", file=sys.stderr)
    settings = load_settings(to_serve=True)

    from uvloop import run as run_loop

    from bot.app import run as serve  # loads every room, which bad settings need not wait for

    sys.setswitchinterval(_SWITCH_S)
    return run_loop(serve(settings, setting_files()))
