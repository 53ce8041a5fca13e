"""Rules of every test: none of our variables is set, and chance can be repeated.

That nothing but loopback is reached is set in pyproject.toml (pytest-socket).
"""

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import settings

from bot.config import variables
from tests.doubles.firestore_emulator import FirestoreEmulator, running_emulator


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's seed before workers start, so that all of them share it."""
    os.environ.setdefault("TEST_SEED", str(random.SystemRandom().randrange(2**32)))
    settings.register_profile("tandem", deadline=None)  # a busy machine's pauses are nobody's fault
    settings.load_profile("tandem")


def pytest_report_header(config: pytest.Config) -> str:
    """Say how to repeat this run's chance."""
    return f"seed: TEST_SEED={os.environ['TEST_SEED']}"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TANDEM_") or name.removesuffix("_FILE") in variables():
            monkeypatch.delenv(name)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chance that is the same for the same seed and test, whatever ran before."""
    return random.Random(f"{os.environ['TEST_SEED']} {request.node.nodeid}")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirestoreEmulator]:
    """A running Firestore emulator, one a test process."""
    with running_emulator(tmp_path_factory.mktemp("firestore") / "emulator.log") as emulator:
        yield emulator
