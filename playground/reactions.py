"""Emoji in, a message with reactions and the events about them out."""

import re

from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.workspace import Message

_NAME = re.compile(r"^[a-z0-9_+'-]+(::skin-tone-[2-6])?$")


def add_reaction(slack: LocalSlack, message: Message, name: str, user_id: str) -> None:
    """Raises SlackError invalid_name, already_reacted."""
    if not _NAME.match(name):
        raise SlackError("invalid_name")
    reactions = {entry["name"]: entry for entry in message.data.get("reactions", [])}
    users = reactions.get(name, {"users": []})["users"]
    if user_id in users:
        raise SlackError("already_reacted")
    reactions[name] = {"name": name, "users": [*users, user_id], "count": len(users) + 1}
    _store(slack, message, list(reactions.values()))
    _tell(slack, "reaction_added", message, name, user_id)


def remove_reaction(slack: LocalSlack, message: Message, name: str, user_id: str) -> None:
    """Raises SlackError no_reaction."""
    reactions = {entry["name"]: entry for entry in message.data.get("reactions", [])}
    users = reactions.get(name, {"users": []})["users"]
    if user_id not in users:
        raise SlackError("no_reaction")
    left = [user for user in users if user != user_id]
    reactions[name] = {"name": name, "users": left, "count": len(left)}
    _store(slack, message, [entry for entry in reactions.values() if entry["users"]])
    _tell(slack, "reaction_removed", message, name, user_id)


def _store(slack: LocalSlack, message: Message, reactions: list[dict[str, object]]) -> None:
    slack.workspace.change(message, {**message.data, "reactions": reactions}, quiet=True)


def _tell(slack: LocalSlack, kind: str, message: Message, name: str, user_id: str) -> None:
    channel = slack.roster.channels[message.channel]
    if slack.roster.bot_user.id not in channel.members:
        return
    event = {
        "type": kind,
        "user": user_id,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.author,
        "event_ts": slack.workspace.next_ts(),
    }
    slack.events.send(event, channel)
