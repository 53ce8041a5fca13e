"""Mistakes that people make, one by one: each is caught, by the check that is there for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.infra.agreements import AGREEMENTS
from tests.infra.kustomize import BuildFailed, Tree
from tests.infra.rules import RULES
from tests.infra.spoiling import SpoilableTerraform
from tests.infra.validation import invalid
from tests.infra.world import World


class Mistake(NamedTuple):
    """What somebody did, as a change of a file, and the check that has to say so."""

    what: str
    file: str
    old: str
    new: str
    caught_by: str


TABLE = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text("utf-8"))
IN_KUBERNETES, IN_TERRAFORM = (
    [Mistake(**row, caught_by=check) for check, rows in TABLE[side].items() for row in rows]
    for side in ("kubernetes", "terraform")
)


def name(mistake: Mistake) -> str:
    """What pytest calls it."""
    return f"{mistake.what}, in {mistake.file}"


@pytest.mark.parametrize("mistake", IN_KUBERNETES, ids=name)
def test_a_mistake_in_kubernetes_is_caught(world: World, tmp_path: Path, mistake: Mistake) -> None:
    tree = world.tree.spoilt(tmp_path, mistake.file, mistake.old, mistake.new)

    assert next(problems(World(tree, world.plan, world.code, world.skaffold), mistake.caught_by), None)


@pytest.mark.parametrize("mistake", IN_TERRAFORM, ids=name)
def test_a_mistake_in_terraform_is_caught(
    world: World, spoilable_terraform: SpoilableTerraform, mistake: Mistake
) -> None:
    with spoilable_terraform.spoilt(mistake.file, mistake.old, mistake.new) as plan:
        if mistake.caught_by.startswith("terraform "):
            assert spoilable_terraform.refuses(mistake.caught_by.removeprefix("terraform "))
        else:
            assert next(problems(World(world.tree, plan, world.code, world.skaffold), mistake.caught_by), None)


def test_every_rule_catches_a_mistake() -> None:
    assert {rule.__name__ for rule in RULES} <= {mistake.caught_by for mistake in IN_KUBERNETES}


def problems(world: World, check: str) -> Iterator[str]:
    """What the named check says of it."""
    if check == "kustomize":
        yield from refused(world.tree)
    elif check == "the schema":
        for folder in world.tree.changed:
            for manifest in world.tree.build(folder):
                yield from invalid(manifest)
    elif check in (rules := {rule.__name__: rule for rule in RULES}):
        for folder in world.tree.changed:
            yield from rules[check](world.tree.build(folder))
    else:
        (agreement,) = (each for each in AGREEMENTS if each.__name__ == check)
        yield from agreement(world)


def refused(tree: Tree) -> Iterator[str]:
    """What kustomize says of the folders that it does not build."""
    for folder in tree.changed:
        try:
            tree.build(folder)
        except BuildFailed as failed:
            yield str(failed)
