"""A message that arrived in, what is to be done with it out: answer, mirror, look further, or leave, with a reason."""

from dataclasses import dataclass
from typing import Literal

from bot.conversation.arrival import Arrival

Verdict = Literal["question", "reply", "ignore"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator decided: `follow_ups` answers unmentioned replies in our threads."""

    follow_ups: bool = True
    outsiders: bool = False


@dataclass(frozen=True, slots=True)
class Triage:
    """`reply` is a reply in a thread of which only the store knows whether it is ours."""

    verdict: Verdict
    reason: str = ""


def triage(arrival: Arrival, rules: Rules) -> Triage:
    """What a message's own facts decide."""
    match arrival.sender:
        case "ourselves":
            return Triage("ignore", "ourselves")
        case "bot":
            return Triage("ignore", "other_bot")
        case "slack":
            return Triage("ignore", arrival.subtype or "slack_itself")
        case "outsider" if not rules.outsiders:
            return Triage("ignore", "outsider")
    if is_addressed(arrival):
        return Triage("question")
    if arrival.is_root:
        return Triage("ignore", "not_addressed")
    return Triage("reply")


def is_addressed(arrival: Arrival) -> bool:
    """Whether it was said to the bot beyond doubt."""
    return arrival.place == "dm" or arrival.mentions_us


def follow_up(arrival: Arrival, rules: Rules) -> Triage:
    """What an unmentioned reply in a thread of ours is: a question, or only to be mirrored (`ignore` with a reason)."""
    if not rules.follow_ups:
        return Triage("ignore", "follow_ups_off")
    if not arrival.message.text and not arrival.message.files:
        return Triage("ignore", "empty")
    if arrival.mentions_others:
        return Triage("ignore", "to_somebody_else")
    return Triage("question")
