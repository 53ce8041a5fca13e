"""Chunks of a streamed message in, the growing message out: Slack's native streaming as a state machine."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.blocks import MARKDOWN_CHARS, MESSAGE_BLOCKS, check_message_blocks
from playground.entities import live_entities
from playground.errors import SlackError
from playground.sessions import Sessions
from playground.trouble import Timing
from playground.workspace import Change, Message, Workspace

JSON = dict[str, Any]
State = Literal["streaming", "stopped_by_user", "finished"]

_CHUNK_BLOCKS = 100  # blocks that chunks may bring to one streamed message
_TASK_STATUSES = ("pending", "in_progress", "complete", "error")


@dataclass(slots=True, eq=False, kw_only=True)
class Stream:
    """One streamed message while it lives, and for as long as somebody may still write to it."""

    message: Message
    state: State = "streaming"
    segments: list[JSON] = field(default_factory=list)
    """What was streamed so far, as blocks: Markdown, task cards and blocks in their order."""
    chars: int = 0
    chunk_blocks: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        return "".join(segment["text"] for segment in self.segments if segment["type"] == "markdown")


class Streams:
    """Every streamed message of the app."""

    def __init__(self, workspace: Workspace, sessions: Sessions, timing: Timing) -> None:
        self._workspace = workspace
        self._sessions = sessions
        self._timing = timing
        self._streams: dict[tuple[str, str], Stream] = {}

    def start(self, message: Message, chunks: list[JSON], *, task_display: str = "timeline") -> Stream:
        """Post the message with its first chunks. Raises SlackError no_text, invalid_chunks, msg_too_long."""
        stream = Stream(message=message)
        if task_display == "plan":
            stream.segments.append({"type": "plan", "title": "", "tasks": []})
        _extend(stream, chunks, required=True)
        message.streaming = True
        message.first_text = stream.text
        self._render(stream)
        stream.timer = asyncio.get_running_loop().call_later(self._timing.stream_life_s, self._expire, stream)
        self._streams[message.channel, message.ts] = stream
        self._workspace.post(message)
        self._sessions.set_status(message.channel, message.root, "processing")
        return stream

    def append(self, message: Message, chunks: list[JSON]) -> None:
        """Raises SlackError message_not_in_streaming_state, stopped_by_user, no_text, msg_too_long, …"""
        stream = self._live(message)
        if stream.state == "stopped_by_user":
            raise SlackError("stopped_by_user")
        _extend(stream, chunks, required=True)
        self._render(stream)
        self._workspace.touch(message)

    def stop(
        self, message: Message, chunks: list[JSON], *, blocks: list[JSON], metadata: JSON | None, status: str
    ) -> None:
        """Finish the message. After a person's Stop it still takes the app's last blocks, but no more text."""
        stream = self._live(message)
        if stream.state == "stopped_by_user":
            chunks = []
        _extend(stream, chunks, required=False)
        if not stream.segments and not blocks:
            raise SlackError("no_text")
        self._finish(stream, blocks=blocks, metadata=metadata)
        self._sessions.set_status(message.channel, message.root, status or "active")

    def is_streaming(self, message: Message) -> bool:
        stream = self._streams.get((message.channel, message.ts))
        return stream is not None and stream.state == "streaming"

    def stopped_by_user(self, channel: str, thread_ts: str) -> list[str]:
        """Someone pressed Stop: the thread's streams take no more text. Their timestamps."""
        stopped = []
        for stream in self._streams.values():
            message = stream.message
            if stream.state == "streaming" and (message.channel, message.root) == (channel, thread_ts):
                stream.state = "stopped_by_user"
                message.streaming = False
                self._workspace.touch(message)
                stopped.append(message.ts)
        return stopped

    def on_change(self, change: Change) -> None:
        """A message that was deleted, or rewritten after a person's Stop, streams no more."""
        if change.kind != "posted" and not change.quiet:
            stream = self._streams.pop((change.message.channel, change.message.ts), None)
            if stream and stream.timer:
                stream.timer.cancel()

    def close(self) -> None:
        """Forget all streams and their timers."""
        for stream in self._streams.values():
            if stream.timer:
                stream.timer.cancel()
        self._streams.clear()

    def _live(self, message: Message) -> Stream:
        stream = self._streams.get((message.channel, message.ts))
        if stream is None or stream.state == "finished":
            raise SlackError("message_not_in_streaming_state")
        return stream

    def _expire(self, stream: Stream) -> None:
        """Slack ends a stream that nobody stopped; the text stays."""
        if stream.state != "finished":
            self._finish(stream, blocks=[], metadata=None)
            self._sessions.set_status(stream.message.channel, stream.message.root, "active")

    def _finish(self, stream: Stream, *, blocks: list[JSON], metadata: JSON | None) -> None:
        message = stream.message
        if stream.timer:
            stream.timer.cancel()
        stream.state = "finished"
        message.streaming, message.live_for, message.first_text = False, None, None
        del self._streams[message.channel, message.ts]
        self._render(stream, blocks)
        message.live = live_entities(message.data)
        message.was_live.extend(entity for entity in message.live if entity not in message.was_live)
        data = {**message.data, "metadata": metadata} if metadata else message.data
        self._workspace.change(message, data)

    def _render(self, stream: Stream, blocks: list[JSON] | None = None) -> None:
        shown = [segment for segment in stream.segments if segment.get("text") != ""]
        numbered = [{"block_id": f"s{index:02d}", **segment} for index, segment in enumerate(shown)]
        stream.message.data = {**stream.message.data, "text": stream.text, "blocks": numbered + (blocks or [])}


def _extend(stream: Stream, chunks: list[JSON], *, required: bool) -> None:
    """Add chunks, all or none."""
    added = sum(len(_markdown(chunk)) for chunk in chunks if chunk.get("type") == "markdown_text")
    if required and not added and all(chunk.get("type") == "markdown_text" for chunk in chunks):
        raise SlackError("no_text")
    for chunk in chunks:
        _check(chunk)
    if stream.chars + added > MARKDOWN_CHARS:
        raise SlackError("msg_too_long")
    brought = sum(len(chunk["blocks"]) for chunk in chunks if chunk["type"] == "blocks")
    if stream.chunk_blocks + brought > _CHUNK_BLOCKS:
        raise SlackError("msg_blocks_too_many")
    stream.chars += added
    stream.chunk_blocks += brought
    for chunk in chunks:
        _add(stream, chunk)


def _markdown(chunk: JSON) -> str:
    text = chunk.get("text")
    if not isinstance(text, str):
        raise SlackError("invalid_chunks")
    return text


def _check(chunk: JSON) -> None:
    kind = chunk.get("type")
    if kind == "task_update":
        valid = bool(chunk.get("id")) and bool(chunk.get("title")) and chunk.get("status") in _TASK_STATUSES
    elif kind == "plan_update":
        valid = isinstance(chunk.get("title"), str)
    elif kind == "blocks":
        valid = isinstance(chunk.get("blocks"), list) and len(chunk["blocks"]) <= MESSAGE_BLOCKS
        if valid:
            check_message_blocks(chunk["blocks"])
    else:
        valid = kind == "markdown_text"
    if not valid:
        raise SlackError("invalid_chunks")


def _add(stream: Stream, chunk: JSON) -> None:
    segments = stream.segments
    if chunk["type"] == "markdown_text":
        if segments and segments[-1]["type"] == "markdown":
            segments[-1] = {"type": "markdown", "text": segments[-1]["text"] + chunk["text"]}
        elif chunk["text"]:
            segments.append({"type": "markdown", "text": chunk["text"]})
    elif chunk["type"] == "blocks":
        segments.extend(chunk["blocks"])
    elif chunk["type"] == "plan_update":
        _plan(segments)["title"] = chunk["title"]
    else:
        _set_task(segments, {**chunk, "type": "task_card", "task_id": chunk["id"]})


def _plan(segments: list[JSON]) -> JSON:
    plan = next((segment for segment in segments if segment["type"] == "plan"), None)
    if plan is None:
        plan = {"type": "plan", "title": "", "tasks": []}
        segments.insert(0, plan)
    return plan


def _set_task(segments: list[JSON], task: JSON) -> None:
    """A task's new state takes the place of its old one, in the plan if there is one."""
    plan = next((segment for segment in segments if segment["type"] == "plan"), None)
    place = plan["tasks"] if plan else segments
    for index, segment in enumerate(place):
        if segment.get("task_id") == task["task_id"]:
            place[index] = {**segment, **task}
            return
    place.append(task)
