"""What contract tests begin with: a workspace, the bot's Slack side in it, HTTP; and mirrors, empty for each test.

The stores are an SQLite file, one in memory, and Google's Firestore emulator.
"""

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.store import Mirror
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.memory_store import MemoryReplicas
from tests.doubles.replicas import Replicas
from tests.doubles.slack_side import SlackSide, slack_side
from tests.doubles.workspace import Workspace

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read once, when gRPC is imported; else it chats on stderr


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """HTTP, for a model's adapter."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """A playground in a process of its own."""
    async with Workspace() as running:
        yield running


@pytest.fixture
async def side(workspace: Workspace, tmp_path: Path) -> AsyncIterator[SlackSide]:
    """The bot's Slack side there, not yet connected."""
    async with slack_side(workspace, tmp_path) as side:
        yield side


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
