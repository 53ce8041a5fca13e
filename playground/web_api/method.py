"""What a Web API method is: who may call it, how often, and what runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.ratelimits import Tier
from playground.roster import Channel
from playground.workspace import Message

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. Any one of `scopes` is enough; methods with `app_token` take an xapp token alone."""

    run: Callable[[LocalSlack, Arguments], JSON]
    scopes: tuple[str, ...] = ()
    tier: Tier = "3"
    app_token: bool = False


_SCOPE_PREFIX = {"channel": "channels", "group": "groups", "mpim": "mpim", "im": "im"}


def channel_for(slack: LocalSlack, channel_id: str, *, scope: str = "") -> Channel:
    """A channel that the app may know of, if its scope for that kind (`read`, `history`) is granted.

    Raises SlackError channel_not_found, missing_scope.
    """
    channel = slack.workspace.channel(channel_id, as_user=slack.roster.bot_user.id)
    if scope:
        needed = f"{_SCOPE_PREFIX[channel.type]}:{scope}"
        if needed not in slack.manifest.scopes:
            raise missing_scope(slack, needed)
    return channel


def writable_channel(slack: LocalSlack, channel_id: str) -> Channel:
    """A channel that the app may post to; a person's id means the direct message with them.

    Raises SlackError channel_not_found, not_in_channel, is_archived, messages_tab_disabled.
    """
    direct = slack.roster.direct_message(channel_id) if channel_id.startswith(("U", "W")) else None
    channel = direct or channel_for(slack, channel_id)
    if slack.roster.bot_user.id not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.type == "im" and not slack.manifest.messages_tab:
        raise SlackError("messages_tab_disabled")
    return channel


def thread_root(slack: LocalSlack, channel: Channel, thread_ts: str, *, error: str = "") -> str:
    """The root that a reply names. Raises SlackError when it is none."""
    if not thread_ts:
        return ""
    message = slack.workspace.timeline(channel.id).messages.get(thread_ts)
    if message is None or message.is_reply:
        raise SlackError(error or "cannot_reply_to_message")
    return thread_ts


def own_message(slack: LocalSlack, channel: Channel, ts: str, *, error: str) -> Message:
    """A message that the app wrote. Raises SlackError message_not_found, or `error`."""
    message = slack.workspace.message(channel.id, ts)
    if message.author != slack.roster.bot_user.id:
        raise SlackError(error)
    return message


def missing_scope(slack: LocalSlack, needed: str) -> SlackError:
    """Slack's answer when the app was not given a scope."""
    return SlackError("missing_scope", needed=needed, provided=",".join(sorted(slack.manifest.scopes)))
