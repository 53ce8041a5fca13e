"""A module's name in, that module run as a program that ends when whoever started it is gone.

Who starts it holds the other end of its stdin. The kernel closes that end however they die, kill -9 included, on every
system; then this process gets SIGTERM, and has a while to finish.
"""

import os
import runpy
import signal
import sys
import threading
import time

FAREWELL_S = 10.0


def main() -> None:
    """`python -m bot.commands.leash MODULE ARGUMENT…`"""
    threading.Thread(target=_end_with_stdin, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_stdin() -> None:
    # os.read rather than sys.stdin, whose lock a daemon thread would hold while the interpreter shuts down.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(FAREWELL_S)
    os._exit(1)


if __name__ == "__main__":
    main()
