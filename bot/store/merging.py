"""What is stored of a message, and what arrives about it, in; what shall be stored out. Arrivals come in any order.

Under a message's ts there is one of these: nothing; the message, which carries `ts` itself; an edit that came
before its message (text and `editedTs` only); a tombstone (`deleted` only), which nothing replaces; or, for the second
and later Slack messages of one answer, a pointer to the first (`partOf` only). Only messages carry `ts`, so a query
that orders by it sees nothing else. Each function returns None where nothing is to change.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.conversation.thread import Message
from bot.store.documents import Document, message_document
from bot.store.schema import VERSION

Stored = Mapping[str, Any] | None


def is_readable(stored: Stored) -> bool:
    """Whether there is a message that people may read."""
    return bool(stored) and "ts" in (stored or {})


def is_early_edit(stored: Stored) -> bool:
    """Whether there is an edit whose message has not come (and may never come)."""
    return bool(stored) and not is_readable(stored) and "text" in (stored or {})


def is_tombstone(stored: Stored) -> bool:
    """Whether the message was deleted."""
    return bool((stored or {}).get("deleted"))


def target(stored: Stored) -> str:
    """The ts under which the answer is kept that this part belongs to; "" for anything else."""
    return str((stored or {}).get("partOf", ""))


def tombstone() -> Document:
    """What remains of a deleted message: no text, and nobody's name."""
    return {"schema": VERSION, "deleted": True}


def pointer(first_ts: str) -> Document:
    """What is kept under the ts of a later part of an answer."""
    return {"schema": VERSION, "partOf": first_ts}


def with_original(stored: Stored, message: Message) -> Document | None:
    """A person's message arrives, as Slack has it or had it: a tombstone wins, and so does a newer edit."""
    if stored is None:
        return message_document(message)
    if is_tombstone(stored) or target(stored) or stored.get("role") == "model":
        return None
    if not is_readable(stored):
        return message_document(message) | _newer_text(stored, message.edited_ts)
    missing = {
        name: value
        for name, value in message_document(message).items()
        if name in ("turnId", "name", "files") and not stored.get(name)
    }
    newer = {"text": message.text, "editedTs": message.edited_ts} if message.edited_ts > _edited(stored) else {}
    merged = {**stored, **missing, **newer}
    return merged if merged != stored else None


def with_edit(stored: Stored, text: str, edited_ts: str) -> Document | None:
    """Somebody edited a message. Answers are edited by nobody but us, and the mirror has them whole."""
    if stored is None:
        return {"schema": VERSION, "text": text, "editedTs": edited_ts}
    if is_tombstone(stored) or target(stored) or stored.get("role") == "model" or edited_ts <= _edited(stored):
        return None
    return {**stored, "text": text, "editedTs": edited_ts}


def with_answer(stored: Iterable[Stored], answer: Message, asker_id: str) -> Document:
    """An answer is given; `stored` is what is there under the ts of each of its parts: one deleted part deletes all."""
    if any(is_tombstone(document) for document in stored):
        return tombstone()
    return message_document(answer, asker_id=asker_id)


def _edited(stored: Mapping[str, Any]) -> str:
    return str(stored.get("editedTs", ""))


def _newer_text(stored: Mapping[str, Any], edited_ts: str) -> Document:
    if _edited(stored) <= edited_ts:
        return {}
    return {"text": stored["text"], "editedTs": stored["editedTs"]}
