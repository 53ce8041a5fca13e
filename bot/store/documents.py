"""The core's nouns in, documents out, and back: the one place that knows the fields' names, for both stores."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.conversation.mirror import Signal
from bot.conversation.thread import Channel, File, Message, Person, Thread, ThreadKey, Usage
from bot.conversation.turn import Part, Turn
from bot.store.schema import VERSION

Document = dict[str, Any]


def turn_document(turn: Turn) -> Document:
    """All that is known of a turn; its id is the document's."""
    return {
        "schema": VERSION,
        "thread": str(turn.thread),
        "questionTs": turn.question_ts,
        "teamId": turn.team_id,
        "askerId": turn.asker_id,
        "askerTeamId": turn.asker_team_id,
        "place": turn.place,
        "askedAt": turn.asked_at,
        **({"missed": list(turn.missed)} if turn.missed else {}),
        **turn_progress(turn),
    }


def turn_progress(turn: Turn) -> Document:
    """The part of a turn that changes while it is answered. `open` is there to be asked for."""
    return {
        "state": turn.state,
        "open": turn.open,
        "attempts": turn.attempts,
        "fence": turn.fence,
        "parts": [{"ts": part.ts, "mode": part.mode, "openedAt": part.opened_at} for part in turn.parts],
        "modelId": turn.model_id,
        "ending": turn.ending,
    }


def read_turn(turn_id: str, document: Mapping[str, Any]) -> Turn:
    """The turn of a document."""
    return Turn(
        id=turn_id,
        thread=ThreadKey.parse(document["thread"]),
        question_ts=document["questionTs"],
        team_id=document["teamId"],
        asker_id=document["askerId"],
        asker_team_id=document["askerTeamId"],
        place=document["place"],
        state=document["state"],
        attempts=document["attempts"],
        fence=document["fence"],
        parts=tuple(Part(part["ts"], part["mode"], part["openedAt"]) for part in document["parts"]),
        model_id=document["modelId"],
        asked_at=document["askedAt"],
        ending=document["ending"],
        missed=tuple(document.get("missed", ())),
    )


def message_document(message: Message, *, asker_id: str = "") -> Document:
    """A message that people may read; empty fields are left out. `asker_id` says whom an answer was given to."""
    fields: Document = {
        "userId": message.user_id,
        "name": message.name,
        "turnId": message.turn_id,
        "questionTs": message.question_ts,
        "modelId": message.model_id,
        "files": [asdict(file) for file in message.files],
        "inPassing": message.in_passing,
        "editedTs": message.edited_ts,
        "usage": asdict(message.usage) if message.usage else None,
        "askerId": asker_id,
    }
    whole = {"schema": VERSION, "ts": message.ts, "role": message.role, "text": message.text}
    return whole | {name: value for name, value in fields.items() if value}


def read_message(thread: ThreadKey, document: Mapping[str, Any]) -> Message:
    """The message of a document that `is_readable`."""
    usage = document.get("usage")
    return Message(
        thread=thread,
        ts=document["ts"],
        role=document["role"],
        text=document["text"],
        user_id=document.get("userId", ""),
        name=document.get("name", ""),
        turn_id=document.get("turnId", ""),
        question_ts=document.get("questionTs", ""),
        model_id=document.get("modelId", ""),
        files=tuple(File(**file) for file in document.get("files", ())),
        in_passing=document.get("inPassing", False),
        edited_ts=document.get("editedTs", ""),
        usage=Usage(**usage) if usage else None,
    )


def thread_document(thread: Thread) -> Document:
    """All that is known of a thread; its key is the document's id."""
    return {
        "schema": VERSION,
        "teamId": thread.team_id,
        "starterId": thread.starter_id,
        "place": thread.place,
        "modelId": thread.model_id,
        "title": thread.title,
        "revision": thread.revision,
        "backfilled": thread.backfilled,
        **({"sinceTs": thread.since_ts} if thread.since_ts else {}),
        "cuts": dict(thread.cuts),
    }


def read_thread(key: ThreadKey, document: Mapping[str, Any]) -> Thread:
    """The thread of a document."""
    return Thread(
        key=key,
        team_id=document["teamId"],
        starter_id=document["starterId"],
        place=document["place"],
        model_id=document["modelId"],
        title=document["title"],
        revision=document["revision"],
        backfilled=document["backfilled"],
        since_ts=document.get("sinceTs", ""),
        cuts=dict(document["cuts"]),
    )


def new_thread(turn: Turn) -> Thread:
    """The thread that a first question makes ours. Nothing was said before its root."""
    is_root = turn.question_ts == turn.thread.thread_ts
    since_ts = "" if is_root else turn.question_ts
    return Thread(turn.thread, turn.team_id, turn.asker_id, turn.place, backfilled=is_root, since_ts=since_ts)


def ours_sooner(document: Mapping[str, Any], turn: Turn) -> Document:
    """The fields of a thread that change where a question comes to be known which is older than what made it ours."""
    if turn.question_ts >= document.get("sinceTs", ""):
        return {}
    return {"sinceTs": new_thread(turn).since_ts}


def person_document(person: Person) -> Document:
    """All that is stored of a person."""
    return {
        "schema": VERSION,
        "name": person.name,
        "guest": person.is_guest,
        "stranger": person.is_stranger,
        "modelId": person.model_id,
        "fetchedAt": person.fetched_at,
    }


def read_person(team_id: str, user_id: str, document: Mapping[str, Any]) -> Person:
    """The person of a document."""
    return Person(
        team_id=team_id,
        user_id=user_id,
        name=document["name"],
        is_guest=document["guest"],
        is_stranger=document["stranger"],
        model_id=document["modelId"],
        fetched_at=document["fetchedAt"],
    )


def channel_document(channel: Channel) -> Document:
    """All that is stored of a channel."""
    return {
        "schema": VERSION,
        "name": channel.name,
        "shared": channel.is_shared,
        "modelId": channel.model_id,
        "selfHostedOnly": channel.self_hosted_only,
        "replyMode": channel.reply_mode,
        "fetchedAt": channel.fetched_at,
    }


def read_channel(team_id: str, channel_id: str, document: Mapping[str, Any]) -> Channel:
    """The channel of a document."""
    return Channel(
        team_id=team_id,
        channel_id=channel_id,
        name=document["name"],
        is_shared=document["shared"],
        model_id=document["modelId"],
        self_hosted_only=document["selfHostedOnly"],
        reply_mode=document["replyMode"],
        fetched_at=document["fetchedAt"],
    )


def signal_document(signal: Signal) -> Document:
    """A word to a process."""
    return {"kind": signal.kind, "thread": str(signal.thread), "ts": signal.ts, "userId": signal.user_id}


def read_signal(document: Mapping[str, Any]) -> Signal:
    """The signal of a document."""
    return Signal(document["kind"], ThreadKey.parse(document["thread"]), document["ts"], document["userId"])
