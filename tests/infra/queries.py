"""A module of the store in, the queries that it makes of Firestore out: read from its text, so that none is missed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, and by which fields, in the order in which an index would hold them."""

    collection: str
    fields: tuple[str, ...]
    across: bool  # all collections of that name

    @property
    def needs_composite(self) -> bool:
        """Whether the indexes that Firestore makes by itself do not serve it."""
        return len(self.fields) > 1


class Unreadable(Exception):
    """A query is written in a way that is not understood here."""


def queries_of(path: Path) -> Iterator[Query]:
    """Every chain of calls with a `where` in it."""
    module = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(module) if isinstance(node, Function)]
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    inner = {id(call.func.value) for call in calls if isinstance(call.func, ast.Attribute)}
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and id(node) not in inner:
                links = list(_links(node, function, functions))
                if any(name == "where" for name, _ in links):
                    yield from _queries(links, function, path.name)


def _queries(links: list[tuple[str, ast.Call]], function: Function, where: str) -> Iterator[Query]:
    collections = [(name, call) for name, call in links if name in ("collection", "collection_group")]
    if not collections:
        raise Unreadable(f"{where}: {function.name} queries a collection that cannot be told")
    kind, call = collections[0]
    fields = [_words(_field(call, name), function) for name, call in reversed(links) if name in ("where", "order_by")]
    for chosen in product(*fields):
        yield Query(_collection(call), tuple(dict.fromkeys(chosen)), kind == "collection_group")


def _links(node: ast.expr, function: Function, functions: list[Function]) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a chain from its end to its root, through local names and small functions that begin it."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.attr, node
        for begun in functions:
            last = begun.body[-1]
            if begun.name == node.func.attr and isinstance(last, ast.Return) and last.value:
                yield from _links(last.value, begun, functions)
                return
        node = node.func.value
    if isinstance(node, ast.Name):
        for each in ast.walk(function):
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == node.id:
                yield from _links(each.value, function, functions)


def _field(call: ast.Call, name: str) -> ast.expr:
    if name == "order_by":
        return call.args[0]
    (filtered,) = (keyword.value for keyword in call.keywords if keyword.arg == "filter")
    assert isinstance(filtered, ast.Call), "a FieldFilter"
    return filtered.args[0]


def _words(node: ast.expr, function: Function) -> list[str]:
    """A text, or each that a loop puts into the name."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    for loop in ast.walk(function):
        if isinstance(loop, ast.For) and ast.unparse(loop.target) == ast.unparse(node):
            return [str(each) for each in ast.literal_eval(loop.iter)]
    raise Unreadable(f"{function.name} asks by {ast.unparse(node)}, which cannot be told")


def _collection(call: ast.Call) -> str:
    from bot.store.schema import Collection

    return str(getattr(Collection, ast.unparse(call.args[0]).removeprefix("Collection.")))
