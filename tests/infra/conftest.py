"""What the tests of terraform, Kubernetes and the image share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.kustomize import Tree

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is in this folder is `infra`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.infra)


@pytest.fixture(scope="session")
def k8s(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """k8s/ as it is, built once for everybody who only reads it."""
    return Tree(tmp_path_factory.mktemp("k8s"))


@pytest.fixture
def spoilable_k8s(tmp_path: Path) -> Iterator[Tree]:
    """A copy of k8s/ for whoever puts a mistake into it."""
    yield Tree(tmp_path / "tree")
