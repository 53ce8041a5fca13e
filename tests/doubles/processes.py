"""Tasks of several processes on one virtual clock: any of them can freeze, go on, or be gone between two steps.

A process is a context: what is started inside one belongs to it, with all its tasks and timers. A frozen process runs
no step while time passes; all of its steps that came due run when it thaws. A killed one never runs another step (no
`finally`, no release), until at the test's end its remains are cleared away, cut off from everything.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.doubles.virtual_time import VirtualLoop

T = TypeVar("T")
Callback = Callable[..., object]


@dataclass(eq=False)
class Process:
    """One process. `wired` is whether anything that it sends still arrives; `halted`, whether it is frozen or dead."""

    name: str
    loop: "ProcessLoop"
    wired: bool = True
    halted: bool = False
    due: list[Callable[[], None]] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run this in the process."""
        context = contextvars.Context()
        context.run(_PROCESS.set, self)
        return self.loop.create_task(work, context=context)

    def go_on(self) -> None:
        """Run all that came due meanwhile."""
        self.halted = False
        due, self.due = self.due, []
        for step in due:
            step()

    async def clear_away(self) -> None:
        """End all that is left of it, with nothing that it does reaching anybody."""
        self.wired = False
        self.go_on()
        while self.tasks:
            left = list(self.tasks)
            for task in left:
                task.cancel()
            await asyncio.wait(left)


_PROCESS: contextvars.ContextVar[Process] = contextvars.ContextVar("process")


async def beyond(work: Coroutine[Any, Any, T]) -> T:
    """Let the world outside all processes do something, whatever becomes of the process that waits for it."""
    task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(task)


class ProcessLoop(VirtualLoop):
    """A virtual loop that knows whose step it runs."""

    def create_task(  # type: ignore[override]  # typeshed allows more kinds of coroutines
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[T]:
        task = super().create_task(coro, name=name, context=context)
        process = (context or contextvars.copy_context()).get(_PROCESS)
        if process is not None:
            process.tasks.add(task)
            task.add_done_callback(process.tasks.discard, context=contextvars.Context())
        return task

    def call_soon(  # type: ignore[override]  # what a callback takes is its own affair
        self, callback: Callback, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        whose = context or contextvars.copy_context()
        process = whose.get(_PROCESS)
        if process is None:
            return super().call_soon(callback, *args, context=whose)
        step = _Step(self, process, callback, whose)
        step.handle = super().call_soon(step, *args, context=whose)
        return step.handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callback, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        whose = context or contextvars.copy_context()
        process = whose.get(_PROCESS)
        if process is None:
            return super().call_at(when, callback, *args, context=whose)
        step = _Step(self, process, callback, whose)
        step.handle = timer = super().call_at(when, step, *args, context=whose)
        return timer


@dataclass(slots=True, eq=False)
class _Step:
    """A callback of a process; put off while the process is halted."""

    loop: ProcessLoop
    process: Process
    callback: Callback
    context: contextvars.Context
    handle: asyncio.Handle | None = None  # what whoever asked for the step may cancel

    def __call__(self, *args: Any) -> None:
        if self.process.halted:
            self.process.due.append(lambda: self._again(args))
        else:
            self.callback(*args)

    def _again(self, args: tuple[Any, ...]) -> None:
        asyncio.SelectorEventLoop.call_soon(self.loop, self._unless_cancelled, args, context=self.context)

    def _unless_cancelled(self, args: tuple[Any, ...]) -> None:
        if self.handle is None or not self.handle.cancelled():
            self(*args)
