"""A message that arrived in, the turn that it asks and its question out."""

from dataclasses import replace

from bot.conversation.arrival import Arrival
from bot.conversation.thread import Message
from bot.conversation.triage import is_addressed
from bot.conversation.turn import Turn, TurnState, turn_id


def asked(arrival: Arrival, *, now: float, state: TurnState = "waiting") -> tuple[Turn, Message]:
    """The turn, and the message as the mirror keeps it. `now` is in epoch seconds."""
    message = arrival.message
    turn = Turn(
        id=turn_id(message.thread.channel_id, message.ts),
        thread=message.thread,
        question_ts=message.ts,
        team_id=arrival.team_id,
        asker_id=message.user_id,
        asker_team_id=arrival.sender_team_id,
        place=arrival.place,
        state=state,
        asked_at=now,
    )
    return turn, replace(message, turn_id=turn.id, in_passing=not is_addressed(arrival))


def seconds(ts: str) -> float:
    """A message's ts in epoch seconds; 0 for what is none."""
    try:
        return float(ts)
    except ValueError:
        return 0.0
