"""Small builders of the core's nouns, so that tests show only what they are about."""

from bot.conversation.arrival import Arrival, Sender
from bot.conversation.models import ModelEntry
from bot.conversation.thread import Message, Place, ThreadKey
from bot.conversation.turn import Turn, turn_id

CHANNEL = "C0GENERAL"
ROOT_TS = "1700000000.000100"
KEY = ThreadKey(CHANNEL, ROOT_TS)


def ts(n: int) -> str:
    """The ts of the n-th message after the root."""
    return f"17000{n:05d}.000100"


def said(text: str, at: str, *, asks: bool = False, by: str = "U0ADA", name: str = "Ada") -> Message:
    """What a person said in the thread."""
    asked = turn_id(CHANNEL, at) if asks else ""
    return Message(KEY, at, "user", text, user_id=by, name=name, turn_id=asked)


def answered(text: str, question_ts: str, at: str, *, retry: int = 0) -> Message:
    """What a model answered to the question of that ts."""
    id_ = turn_id(CHANNEL, question_ts, retry)
    return Message(KEY, at, "model", text, turn_id=id_, question_ts=question_ts, model_id="gemma")


def turn(question_ts: str, *, retry: int = 0, place: Place = "channel", thread: ThreadKey = KEY) -> Turn:
    """A waiting turn."""
    return Turn(
        turn_id(thread.channel_id, question_ts, retry), thread, question_ts, "T0TANDEM", "U0ADA", "T0TANDEM", place
    )


def arrival(
    text: str,
    at: str = ROOT_TS,
    *,
    thread: ThreadKey = KEY,
    sender: Sender = "person",
    place: Place = "channel",
    mentions_us: bool = False,
    mentions_others: bool = False,
    client_msg_id: str = "",
    by: str = "U0ADA",
) -> Arrival:
    """A message as it arrives."""
    return Arrival(
        Message(thread, at, "user", text, user_id=by),
        team_id="T0TANDEM",
        sender_team_id="T0TANDEM",
        sender=sender,
        place=place,
        mentions_us=mentions_us,
        mentions_others=mentions_others,
        client_msg_id=client_msg_id,
    )


def entry(id_: str = "gemma", **changes: object) -> ModelEntry:
    """A catalogue entry with small, round numbers."""
    facts: dict[str, object] = {
        "id": id_,
        "label": id_.title(),
        "where": "self-hosted",
        "context_tokens": 8192,
        "answer_tokens": 1024,
    }
    return ModelEntry(**(facts | changes))  # type: ignore[arg-type]  # a test may name any field
