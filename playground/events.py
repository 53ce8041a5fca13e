"""Changes of the workspace in, the events that Slack would send to the app out."""

import itertools
import re
import time
from typing import Any

from playground.delivery import Deliveries, Delivery
from playground.manifest import Manifest
from playground.roster import Channel
from playground.trouble import Trouble
from playground.workspace import Change, Message, Workspace

JSON = dict[str, Any]

_MESSAGE_EVENT = {"channel": "message.channels", "group": "message.groups", "mpim": "message.mpim", "im": "message.im"}


class Events:
    """Sends events for what the app is subscribed to, in the channels it is a member of."""

    def __init__(self, workspace: Workspace, manifest: Manifest, deliveries: Deliveries, trouble: Trouble) -> None:
        self._workspace = workspace
        self._roster = workspace.roster
        self._manifest = manifest
        self._deliveries = deliveries
        self._trouble = trouble
        self._ids = itertools.count(1)
        self._session = f"{time.time_ns():x}".upper()[-8:]

    def on_change(self, change: Change) -> None:
        """A message was posted, changed or deleted."""
        message = change.message
        channel = self._roster.channels[message.channel]
        if change.quiet or message.visible_to is not None or not self._is_member(channel):
            return
        if change.kind == "posted":
            self._posted(channel, message)
        elif change.kind == "changed":
            body: JSON = {"message": self._workspace.presented(message), "previous_message": change.previous}
            self._edited(channel, "message_changed", body)
        else:
            body = {"previous_message": change.previous, "deleted_ts": message.ts}
            self._edited(channel, "message_deleted", body)

    def send(self, event: JSON, channel: Channel | None = None, *, subscription: str = "") -> Delivery | None:
        """Send an event, if the app is subscribed to it."""
        if (subscription or event["type"]) not in self._manifest.events:
            return None
        return self._deliveries.send_event(self.envelope(event, channel))

    def envelope(self, event: JSON, channel: Channel | None = None) -> JSON:
        """Slack's outer event, with an event id of its own."""
        team_id = self._roster.team_id
        shared = channel is not None and channel.is_ext_shared
        return {
            "token": "playground",
            "team_id": team_id,
            "context_team_id": team_id,
            "context_enterprise_id": None,
            "api_app_id": self._roster.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{self._session}{next(self._ids):04X}",
            "event_time": int(self._workspace.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team_id,
                    "user_id": self._roster.bot_user.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{next(self._ids)}",
        }

    def joined(self, channel: Channel, user_id: str) -> None:
        """Somebody joined a channel: the app hears of it, and of its own joining."""
        if self._is_member(channel):
            event = {
                "type": "member_joined_channel",
                "user": user_id,
                "channel": channel.id,
                "channel_type": "G" if channel.type in ("group", "mpim") else "C",
                "team": self._roster.team_id,
                "event_ts": self._workspace.next_ts(),
            }
            self.send(event, channel)

    def home_opened(self, user_id: str, tab: str, view: JSON | None) -> None:
        """Somebody opened the app's Home or Messages tab."""
        direct = self._roster.direct_message(user_id)
        event: JSON = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": direct.id if direct else "",
            "tab": tab,
            "event_ts": self._workspace.next_ts(),
        }
        self.send({**event, "view": view} if view else event)

    def session_stopped(self, message_channel: str, thread_ts: str, user_id: str, streams: list[str]) -> None:
        """Somebody pressed Slack's own Stop button."""
        event = {
            "type": "agent_session_stopped",
            "channel": message_channel,
            "thread_ts": thread_ts,
            "user": user_id,
            "team_id": self._roster.team_id,
            "streaming_message_ts": streams,
            "event_ts": self._workspace.next_ts(),
        }
        self.send(event, self._roster.channels[message_channel])

    def title_changed(self, channel: Channel, thread_ts: str, user_id: str, *, title: str, previous: str) -> None:
        """Somebody gave the agent's session another title."""
        event = {
            "type": "agent_session_title_changed",
            "channel": channel.id,
            "thread_ts": thread_ts,
            "user": user_id,
            "team_id": self._roster.team_id,
            "title": title,
            "event_ts": self._workspace.next_ts(),
        }
        self.send({**event, "previous_title": previous} if previous else event, channel)

    def _is_member(self, channel: Channel) -> bool:
        return self._roster.bot_user.id in channel.members

    def _posted(self, channel: Channel, message: Message) -> None:
        event = {
            **message.data,
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": channel.type,
        }
        event.pop("metadata", None)
        if channel.is_ext_shared and event.get("files") and event.get("team") != self._roster.team_id:
            event["files"] = [_file_stub(file) for file in event["files"]]
        sends: list[tuple[JSON, str]] = [(event, _MESSAGE_EVENT[channel.type])]
        if self._mentions(channel, message):
            mention = {key: value for key, value in event.items() if key not in ("channel_type", "subtype")}
            sends.append(({**mention, "type": "app_mention"}, "app_mention"))
        self._trouble.chance.shuffle(sends)
        for body, subscription in sends:
            self.send(body, channel, subscription=subscription)

    def _mentions(self, channel: Channel, message: Message) -> bool:
        bot = self._roster.bot_user.id
        if channel.type == "im" or message.author == bot:
            return False
        return re.search(rf"<@{bot}(?:\|[^>]*)?>", str(message.data.get("text"))) is not None

    def _edited(self, channel: Channel, subtype: str, body: JSON) -> None:
        ts = self._workspace.next_ts()
        event = {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            **body,
            "channel": channel.id,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.type,
        }
        self.send(event, channel, subscription=_MESSAGE_EVENT[channel.type])


def _file_stub(file: JSON) -> JSON:
    """All that Slack Connect tells of a file from another workspace; files.info tells the rest."""
    return {"id": file["id"], "mode": "file_access", "file_access": "check_file_info"}
