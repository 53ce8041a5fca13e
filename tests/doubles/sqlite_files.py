"""Replicas on an SQLite file in, the file itself out, for tests that look into it or lock it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.store.address import SqliteAddress, parse_address
from tests.doubles.replicas import Replicas


def path_of(replicas: Replicas) -> Path:
    """Where the database's file is."""
    address = parse_address(replicas.address)
    assert isinstance(address, SqliteAddress)
    return address.path


def open_by_hand(path: Path) -> closing[sqlite3.Connection]:
    """Another program's connection to the file."""
    return closing(sqlite3.connect(path, isolation_level=None))
