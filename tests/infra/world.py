"""Every side that has to agree, read once: what terraform would make, what Kubernetes would run, what the code does."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.config import variables
from bot.store import indexes
from bot.telemetry.names import METRICS, Metric
from tests.infra.kustomize import APPLIED, HOSTNAME, OVERLAYS, ROOT, SERVERS, Manifest, Tree
from tests.infra.provider.terraform import Plan
from tests.infra.queries import Query, queries_of

DOORS = ("bot/app.py", "bot/rooms.py", "bot/server.py")  # where paths are bound to what answers at them


@dataclass(frozen=True)
class Code:
    """What the code asks of its surroundings, and offers to them."""

    variables: frozenset[str]
    metrics: Mapping[str, Metric]
    paths: frozenset[str]
    queries: tuple[Query, ...]
    expiring: frozenset[tuple[str, str]]
    gemmas: Mapping[str, tuple[str, ...]]  # which servers `make deploy` takes to fit the bot's component
    models: Mapping[str, str]  # whose weights it wants for which server
    secrets: frozenset[str]  # which it fills, or asks for


class World:
    """The sides. Manifests by the folder that one applies; terraform's plans without a hostname, and with one."""

    def __init__(self, tree: Tree, plan: Callable[[str], Plan], code: Code, skaffold: Sequence[Mapping[str, Any]]):
        self.tree = tree
        self.code = code
        self.skaffold = skaffold
        self.plan = plan

    @property
    def socket(self) -> Plan:
        """What terraform makes for Socket Mode."""
        return self.plan("")

    @property
    def http(self) -> Plan:
        """What terraform makes for HTTP."""
        return self.plan(HOSTNAME)

    @property
    def overlays(self) -> Mapping[str, list[Manifest]]:
        """The bot's builds."""
        return {folder: self.tree.build(folder) for folder in OVERLAYS}

    @property
    def servers(self) -> Mapping[str, list[Manifest]]:
        """Gemma's builds."""
        return {folder: self.tree.build(folder) for folder in SERVERS}

    def manifests(self) -> list[Manifest]:
        """All builds."""
        return [manifest for folder in APPLIED for manifest in self.tree.build(folder)]


@cache
def code() -> Code:
    """The code as it is."""
    return Code(
        variables=frozenset(variables()),
        metrics=METRICS,
        paths=frozenset(path for module in DOORS for path in _paths(ROOT / module)),
        queries=tuple(query for module in sorted((ROOT / "bot/store").glob("*.py")) for query in queries_of(module)),
        expiring=frozenset((collection, indexes.TTL_FIELD) for collection in indexes.TTL),
        gemmas=_constant(ROOT / "scripts/deploy_plan.py", "GEMMAS"),
        models=_constant(ROOT / "scripts/deploy_plan.py", "MODELS"),
        secrets=frozenset(re.findall(r'"(tandem-[a-z-]+)"', (ROOT / "scripts/deploy.py").read_text("utf-8"))),
    )


def skaffold() -> Sequence[Mapping[str, Any]]:
    """What is built and shipped, module by module."""
    return list(yaml.safe_load_all((ROOT / "skaffold.yaml").read_text("utf-8")))


def _constant(module: Path, name: str) -> Any:
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def _paths(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and re.fullmatch(r"/[a-z/]+", str(node.value)):
            yield str(node.value)
