"""Statuses set by the app in, the one status line of each thread out, with the timeouts that Slack gives it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from playground.errors import SlackError
from playground.trouble import Timing
from playground.workspace import Workspace

Status = Literal["active", "processing", "suspended", "closed"]


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """The agent session of one thread, and the status line that people see under it."""

    channel: str
    thread_ts: str
    status: Status | None = None
    title: str = ""
    initiator: str = ""
    text: str = ""
    """A free text set by assistant.threads.setStatus; it shares its place with "Working…"."""
    loading_messages: list[str] = field(default_factory=list)
    prompts: list[dict[str, str]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    text_timer: asyncio.TimerHandle | None = None

    @property
    def is_busy(self) -> bool:
        """Whether people see that the app is at work."""
        return self.status == "processing" or bool(self.text)

    @property
    def stoppable(self) -> bool:
        """Whether Slack's own Stop button is there: not while a free text has its place."""
        return self.status == "processing" and not self.text

    @property
    def shown(self) -> str:
        return self.text or ("Working…" if self.status == "processing" else "")


class Sessions:
    """All agent sessions of the workspace."""

    def __init__(self, workspace: Workspace, timing: Timing) -> None:
        self._workspace = workspace
        self._timing = timing
        self._sessions: dict[tuple[str, str], Session] = {}
        self.on_status: list[Callable[[Session], None]] = []

    def find(self, channel: str, thread_ts: str) -> Session | None:
        return self._sessions.get((channel, thread_ts))

    def busy(self) -> list[Session]:
        """Those whose status line people see."""
        return [session for session in self._sessions.values() if session.is_busy]

    def set_status(self, channel: str, thread_ts: str, status: str, *, title: str = "", initiator: str = "") -> Session:
        """Begin a session or change its status; title and initiator count only when it begins.

        Raises SlackError invalid_status, invalid_name.
        """
        if status not in get_args(Status):
            raise SlackError("invalid_status")
        if len(title) > 200:
            raise SlackError("invalid_name")
        session = self._sessions.get((channel, thread_ts))
        if session is None:
            session = self._begin(channel, thread_ts, title=title, initiator=initiator)
        session.status = cast(Status, status)
        self._clear_text(session)
        _cancel(session.timer)
        session.timer = None
        if status == "processing":
            session.timer = asyncio.get_running_loop().call_later(
                self._timing.processing_life_s, self.set_status, channel, thread_ts, "active"
            )
        self._announce(session)
        return session

    def set_text(self, channel: str, thread_ts: str, text: str, loading_messages: list[str]) -> Session:
        """The free status text of a thread; empty clears it. It goes by itself after two minutes."""
        session = self._sessions.get((channel, thread_ts)) or self._begin(channel, thread_ts)
        self._clear_text(session)
        session.text, session.loading_messages = text, loading_messages
        if text:
            session.text_timer = asyncio.get_running_loop().call_later(
                self._timing.status_life_s, self.set_text, channel, thread_ts, "", []
            )
        self._announce(session)
        return session

    def app_posted(self, channel: str, thread_ts: str) -> None:
        """A message of the app ends the free status text, but not `processing`."""
        session = self._sessions.get((channel, thread_ts))
        if session and session.text:
            self._clear_text(session)
            self._announce(session)

    def rename(self, channel: str, thread_ts: str, title: str) -> Session:
        """Raises SlackError session_not_found, invalid_name."""
        session = self._sessions.get((channel, thread_ts))
        if session is None:
            raise SlackError("session_not_found")
        if not 1 <= len(title) <= 200:
            raise SlackError("invalid_name")
        session.title = title
        self._announce(session)
        return session

    def close(self) -> None:
        """Forget all sessions and their timers."""
        for session in self._sessions.values():
            _cancel(session.timer)
            _cancel(session.text_timer)
        self._sessions.clear()

    def _begin(self, channel: str, thread_ts: str, *, title: str = "", initiator: str = "") -> Session:
        if not initiator:
            root = self._workspace.timeline(channel).messages.get(thread_ts)
            initiator = root.author if root else ""
        session = Session(channel=channel, thread_ts=thread_ts, title=title, initiator=initiator)
        self._sessions[channel, thread_ts] = session
        return session

    def _clear_text(self, session: Session) -> None:
        _cancel(session.text_timer)
        session.text, session.text_timer, session.loading_messages = "", None, []

    def _announce(self, session: Session) -> None:
        for listener in self.on_status:
            listener(session)
        self._workspace.wake(session.channel, session.thread_ts)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
