"""A control call's JSON in, the people, channels and messages it names out."""

from typing import Any

from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.roster import Channel, User
from playground.workspace import Message

JSON = dict[str, Any]


def text_of(values: JSON, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise SlackError("invalid_arguments", message=f"{name} is missing")
    return value


def user_of(slack: LocalSlack, values: JSON) -> User:
    return slack.workspace.user(text_of(values, "as"))


def channel_of(slack: LocalSlack, values: JSON) -> Channel:
    return slack.workspace.channel(text_of(values, "channel"), as_user=str(values.get("as") or "") or None)


def message_of(slack: LocalSlack, values: JSON, name: str) -> Message:
    channel, ts = channel_of(slack, values), text_of(values, name)
    ephemeral = slack.workspace.timeline(channel.id).ephemeral.get(ts)
    return ephemeral or slack.workspace.message(channel.id, ts)
