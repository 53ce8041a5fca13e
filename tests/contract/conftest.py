"""The stores: an SQLite file, one in memory, and Google's Firestore emulator (an empty project for each test)."""

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Mirror
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.memory_store import MemoryReplicas
from tests.doubles.replicas import Replicas

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read once, when gRPC is imported; else it chats on stderr


@pytest.fixture
async def firestore(emulator: FirestoreEmulator) -> AsyncIterator[Replicas]:
    """Mirrors of one empty Firestore database."""
    replicas = Replicas(f"firestore://test-{uuid.uuid4().hex[:20]}/tandem", emulator.host)
    yield replicas
    await replicas.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Replicas]:
    """Mirrors of one new SQLite file."""
    replicas = Replicas(f"sqlite:///{tmp_path / 'tandem.db'}")
    yield replicas
    await replicas.close()


@pytest.fixture
async def memory() -> AsyncIterator[Replicas]:
    """Mirrors of one new database in memory, as the turn protocol's proof uses them."""
    replicas = MemoryReplicas()
    yield replicas
    await replicas.close()


@pytest.fixture(params=["sqlite", "firestore", "memory"])
def replicas(request: pytest.FixtureRequest) -> Replicas:
    """Mirrors of one empty database, once of each kind."""
    each: Replicas = request.getfixturevalue(request.param)
    return each


@pytest.fixture
async def mirror(replicas: Replicas) -> Mirror:
    """One process's mirror."""
    return await replicas.open()
