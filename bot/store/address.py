"""An address in, the store it names out: `sqlite:///relative.db`, `sqlite:////absolute.db`, `firestore://project/database`."""

import re
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError

DEFAULT_DATABASE = "(default)"
_FORMS = "sqlite:///path/to/tandem.db or firestore://project/database"
# What Google accepts: https://cloud.google.com/resource-manager/docs/creating-managing-projects,
# https://cloud.google.com/firestore/docs/manage-databases. Domain-scoped projects ("example.com:name") exist too.
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{2,62}")
_DATABASE = re.compile(r"[a-z][a-z0-9-]{2,61}[a-z0-9]|\(default\)")


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A file on this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class FirestoreAddress:
    """A database in a Google Cloud project."""

    project: str
    database: str


def parse_address(address: str) -> SqliteAddress | FirestoreAddress:
    """Which store an address names; raises ConfigError with a sentence that says how to write it."""
    scheme, separator, rest = address.partition("://")
    if separator and scheme == "sqlite":
        return _sqlite(address, rest)
    if separator and scheme == "firestore":
        return _firestore(address, rest)
    raise ConfigError([f"The store's address {address!r} names no store that is known: write {_FORMS}."])


def _sqlite(address: str, rest: str) -> SqliteAddress:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path.endswith("/") or "\0" in path:
        problem = f"The store's address {address!r} names no file"
        raise ConfigError([f"{problem}: write sqlite:///relative.db or sqlite:////absolute/path.db."])
    return SqliteAddress(Path(path))


def _firestore(address: str, rest: str) -> FirestoreAddress:
    project, _, database = rest.rstrip("/").partition("/")
    database = database or DEFAULT_DATABASE
    if not _PROJECT.fullmatch(project) or not _DATABASE.fullmatch(database):
        problem = f"The store's address {address!r} names no Firestore database"
        raise ConfigError([f"{problem}: write firestore://project-id/database-id (the id may be {DEFAULT_DATABASE})."])
    return FirestoreAddress(project, database)
