"""reactions.*: emoji on messages."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.reactions import add_reaction, remove_reaction
from playground.web_api.method import Method, channel_for
from playground.workspace import Message

JSON = dict[str, Any]


def add(slack: LocalSlack, args: Arguments) -> JSON:
    """reactions.add"""
    add_reaction(slack, _message(slack, args), args.required("name"), slack.roster.bot_user.id)
    return {}


def remove(slack: LocalSlack, args: Arguments) -> JSON:
    """reactions.remove"""
    remove_reaction(slack, _message(slack, args), args.required("name"), slack.roster.bot_user.id)
    return {}


def get(slack: LocalSlack, args: Arguments) -> JSON:
    """reactions.get"""
    message = _message(slack, args)
    return {"type": "message", "channel": message.channel, "message": slack.workspace.presented(message)}


def _message(slack: LocalSlack, args: Arguments) -> Message:
    channel = channel_for(slack, args.required("channel"))
    ts = args.required("timestamp")
    if not ts.replace(".", "", 1).isdigit():
        raise SlackError("bad_timestamp")
    return slack.workspace.message(channel.id, ts)


METHODS = {
    "reactions.add": Method(add, ("reactions:write",), "3"),
    "reactions.remove": Method(remove, ("reactions:write",), "2"),
    "reactions.get": Method(get, ("reactions:read",), "3"),
}
