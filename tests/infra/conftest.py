"""What the tests of terraform, Kubernetes and the image share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.kustomize import ROOT, Tree
from tests.infra.provider.terraform import terraform_in_a_copy
from tests.infra.spoiling import SpoilableTerraform
from tests.infra.world import World, code, skaffold

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


@pytest.fixture(scope="session")
def spoilable_terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpoilableTerraform]:
    """A copy of terraform/ for whoever puts a mistake into it, one at a time."""
    with terraform_in_a_copy(ROOT / "terraform", tmp_path_factory.mktemp("terraform")) as terraform:
        yield SpoilableTerraform(terraform)


@pytest.fixture(scope="session")
def world(k8s: Tree, spoilable_terraform: SpoilableTerraform) -> World:
    """All sides as they are."""
    return World(k8s, spoilable_terraform.planned(), code(), skaffold())
