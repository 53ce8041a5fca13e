"""A stored schema's version in, a verdict out: this version reads its own schema and the one before."""

from bot.errors import StoreUnusable

VERSION = 1  # raise it with every change that a reader must know of; the first is 1


def check_version(found: int, where: str) -> None:
    """Raise StoreUnusable, with a sentence that says what to do, for a schema that this version does not read."""
    if found in (VERSION, VERSION - 1) and found >= 1:
        return
    advice = (
        "Start the newer Tandem that wrote it, or name another store"
        if found > VERSION
        else "Let a Tandem in between open it once, or name another store"
    )
    raise StoreUnusable(f"{where} holds schema {found}, and this Tandem reads {VERSION}. {advice}.")


class Collection:
    """The names of Firestore's collections, and of SQLite's tables."""

    THREADS = "threads"
    MESSAGES = "messages"  # below each thread
    LEASES = "leases"
    TURNS = "turns"
    CLAIMS = "claims"
    SIGNALS = "signals"
    TEAMS = "teams"
    USERS = "users"  # below each team
    CHANNELS = "channels"  # below each team
    META = "meta"  # two documents: "schema" and "pulse"
