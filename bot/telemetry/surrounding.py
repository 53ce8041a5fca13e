"""A port and a context manager in, the port with every call inside that context manager out."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

P = TypeVar("P")
Around = Callable[[str], AbstractContextManager[None]]  # made for each call, by the method's name


def surrounded(port: P, around: Around) -> P:
    """The port; each of its coroutine methods runs inside `around(name)`."""
    return cast(P, _Surrounded(port, around))


def together(arounds: Sequence[Around]) -> Around:
    """All of them as one; the last is the innermost."""
    match arounds:
        case []:
            return nothing_around
        case [only]:
            return only

    @contextmanager
    def around(name: str) -> Iterator[None]:
        with ExitStack() as stack:
            for each in arounds:
                stack.enter_context(each(name))
            yield

    return around


def nothing_around(_: str) -> AbstractContextManager[None]:
    """Nobody wants to know."""
    return nullcontext()


class _Surrounded:
    def __init__(self, port: object, around: Around) -> None:
        self._port = port
        self._around = around

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not iscoroutinefunction(found):
            return found
        call = _inside(found, name, self._around)
        setattr(self, name, call)  # the next call finds it without coming here
        return call


def _inside(method: Callable[..., Awaitable[Any]], name: str, around: Around) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with around(name):
            return await method(*args, **kwargs)

    return call
