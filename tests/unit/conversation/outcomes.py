"""What people asked, and how it ended in Slack and in the mirror."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import note

from bot.conversation.arrival import Outcome
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn, turn_id
from bot.slack.marks import NOTICE_EVENT, TURN_EVENT
from tests.doubles.answering import markdown_of
from tests.doubles.processes import Process
from tests.doubles.simulation import World
from tests.doubles.tagged_model import pieces

JSON = dict[str, Any]


@dataclass(eq=False)
class Question:
    """Something that a person wrote."""

    number: int
    manner: str
    text: str
    addressed: bool
    mentions: bool  # the bot, in so many words
    key: ThreadKey = field(init=False)
    ts: str = field(init=False)
    version: int = 1
    deleted: bool = False
    heard_by: list[tuple[Outcome, Process]] = field(default_factory=list)  # acks

    @property
    def typed(self) -> str:
        """What Slack shows of it."""
        return f"@Tandem {self.text}" if self.mentions else self.text

    @property
    def may_be_unknown(self) -> bool:
        """A reply that nobody addressed to the bot may come too early for anybody to know that the thread is ours.

        It is kept for a while, in one process.
        """
        early = [process for outcome, process in self.heard_by if outcome.fate in ("ignored", "held")]
        return not self.addressed and bool(early)


def open_turns(world: World, questions: Sequence[Question]) -> list[Turn]:
    """What waits or runs in their threads."""
    store = world.database.mirror(now=world.now).turns
    return [turn for key in sorted({q.key for q in questions}) for turn in world.run(store.open_turns(key))]


def check_ends(world: World, questions: Sequence[Question], stops: Sequence[Question]) -> None:
    """Fail unless every question has its one visible outcome, and the mirror says the same as Slack."""
    assert not (left := open_turns(world, [*questions, *stops])), f"open for ever: {left}"
    for channel in sorted({question.key.channel_id for question in questions}):
        assert not world.slack.streaming(channel), "a stream is live for ever"
    for session in world.slack.slack.sessions.busy():
        gone = session.thread_ts not in world.slack.slack.workspace.timeline(session.channel).messages
        assert gone, f"a status is stuck: {session}"
    for key in sorted({question.key for question in questions}):
        _check_thread(world, key, questions, stops)


def _check_thread(world: World, key: ThreadKey, questions: Sequence[Question], stops: Sequence[Question]) -> None:
    mirror = world.database.mirror(now=world.now)
    stored = world.run(mirror.threads.messages(key))
    shown: dict[str, dict[int, JSON]] = {}
    for message in world.slack.thread(key.channel_id, key.thread_ts):
        mark = mark_of(message)
        assert mark or _is_notice(message), f"a message of nobody's: {message}"
        if mark:
            shown.setdefault(mark[0], {})[mark[1]] = message
    asked = [question for question in (*questions, *stops) if question.key == key]
    for question in asked:
        id_ = turn_id(key.channel_id, question.ts)
        turn = world.run(mirror.turns.turn(id_))
        note(f"{question} {turn}")
        parts = shown.pop(id_, {})
        assert sorted(parts) == list(range(len(parts))), f"parts are missing: {sorted(parts)}"
        answer = next((m for m in stored if m.role == "model" and m.turn_id == id_), None)
        heard = next((m for m in stored if m.role == "user" and m.ts == question.ts), None)
        if question.deleted:
            assert heard is None, f"what was deleted is remembered: {heard}"
            continue
        if question.may_be_unknown and (turn is None or (heard and heard.text != question.text)):
            continue
        assert turn is not None, f"lost: {question}"
        assert heard is not None and heard.text == question.text, f"the mirror has {heard} of {question}"
        text = "\n".join(markdown_of(parts[number]) for number in sorted(parts))
        if not parts:
            stopped = any(stop.ts > question.ts for stop in stops if stop.key == key)
            assert turn.state == "stopped" and (stopped or question.manner == "stop"), f"nothing to see of {turn}"
            continue
        assert [p.ts for p in turn.parts] == [parts[n]["ts"] for n in sorted(parts)], "the store knows other parts"
        _check_text(question, turn, text, answer)
    assert not shown, f"answers to nothing: {shown}"


def _check_text(question: Question, turn: Turn, text: str, answer: Message | None) -> None:
    if turn.state == "answered" and question.manner != "stop":
        assert _plain(text) == _plain("".join(pieces(question.number, question.manner))), f"{turn}: {text}"
    if answer is None or not answer.text.strip():
        return
    # What an earlier attempt has shown stays where the last one was cut or stopped sooner; the mirror has the last.
    kept = turn.fence > 1 and turn.state != "answered"
    same = _plain(text).startswith(_plain(answer.text)) if kept else _plain(text) == _plain(answer.text)
    assert same, f"{turn.state}: mirror {answer.text!r}, Slack {text!r}"


def mark_of(message: JSON) -> tuple[str, int] | None:
    """Which part of which turn's answer it is."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != TURN_EVENT:
        return None
    return metadata["event_payload"]["turn"], int(metadata["event_payload"]["part"])


def _is_notice(message: JSON) -> bool:
    return (message.get("metadata") or {}).get("event_type") == NOTICE_EVENT


def _plain(text: str) -> str:
    return " ".join(text.split())
