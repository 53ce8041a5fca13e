"""Slack's event JSON in, Arrival, Edit, Deletion or Stop out: the only place that knows the Events API's JSON.

Nothing that Slack or anybody else puts into an event raises here: what cannot be read is `Unread`, with a reason.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.conversation.arrival import Arrival, Deletion, Edit, Sender, Stop
from bot.conversation.thread import File, Message, Place, ThreadKey
from bot.slack.authorize import Identity
from bot.slack.entities import Names, Said, repaired, said

JSON = Mapping[str, Any]

# What people write; every other subtype is Slack's own doing. https://docs.slack.dev/reference/events/message
_PEOPLES = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # ids become part of the store's keys
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Unread:
    """An event that is nothing to the core; `reason` is a stable word or two, for logs."""

    reason: str


Reading = Arrival | Edit | Deletion | Stop | Unread


class Malformed(Exception):
    """An event without something that Slack promises."""


def is_event(body: JSON) -> bool:
    """Whether a payload is an event at all, with the shape that Bolt relies on."""
    event = body.get("event")
    return isinstance(event, dict) and isinstance(event.get("type"), str)


def team_of(body: JSON) -> str:
    """The installation that an event was sent for; in Slack Connect `team_id` may be the other side's."""
    first = _first(body.get("authorizations"))
    team_id, enterprise_id = first.get("team_id"), first.get("enterprise_id")
    return _text(team_id) or _text(enterprise_id) or _text(body.get("team_id"))


class EventReader:
    """Reads events for one installation.

    `outsiders` tells whether people of other organisations are answered: where not, their edits are no news either.
    """

    def __init__(self, us: Identity, *, name_of: Names, outsiders: bool = False) -> None:
        self._us = us
        self._name_of = name_of
        self._outsiders = outsiders

    def read(self, body: JSON) -> Reading:
        """Read an `event_callback`'s whole body."""
        event = _dict(body.get("event"))
        try:
            match event.get("type"):
                case "message" if event.get("subtype") == "message_changed":
                    return self._changed(event, shared=_is_shared(body))
                case "message" if event.get("subtype") == "message_deleted":
                    return self._deleted(event)
                case "message" | "app_mention":
                    channel_id = _id(event, "channel")
                    return self.message(event, channel_id, place=_place(event, channel_id), shared=_is_shared(body))
                case "agent_session_stopped":
                    return self._stop(event, body)
                case _:
                    return Unread("no_message")
        except Malformed as why:
            return Unread(f"malformed_{why}")

    def message(self, raw: JSON, channel_id: str, *, place: Place, shared: bool = False) -> Arrival:
        """A message object, of an event or of a thread's history; raises Malformed."""
        sender = self._sender(raw, shared=shared)
        ts = _ts(raw, "ts")
        thread = ThreadKey(channel_id, _ts(raw, "thread_ts") if raw.get("thread_ts") is not None else ts)
        words = self._words(raw) if sender in ("person", "outsider") else self._said(_text(raw.get("text")))
        user_id = _id(raw, "user") if sender in ("person", "outsider") else _text(raw.get("user"))
        files, edited_ts = _files(raw.get("files")), _text(_dict(raw.get("edited")).get("ts"))
        message = Message(thread, ts, "user", words.text, user_id=user_id, files=files, edited_ts=edited_ts)
        return Arrival(
            message=message,
            team_id=self._us.team_id,
            sender_team_id=_sender_team(raw) or ("" if shared else self._us.team_id),
            sender=sender,
            place=place,
            mentions_us=words.mentions_us or raw.get("type") == "app_mention",
            mentions_others=words.mentions_others,
            subtype=_text(raw.get("subtype")),
            client_msg_id=_claimable(raw.get("client_msg_id")),
        )

    def is_ours(self, raw: JSON) -> bool:
        """Whether the bot itself wrote a message."""
        user_id, bot_id = _text(raw.get("user")), _text(raw.get("bot_id"))
        return user_id == self._us.user_id or bool(bot_id and bot_id == self._us.bot_id)

    def _sender(self, raw: JSON, *, shared: bool) -> Sender:
        subtype, user_id = _text(raw.get("subtype")), _text(raw.get("user"))
        if self.is_ours(raw):
            return "ourselves"
        if subtype == "bot_message" or raw.get("bot_id") or raw.get("app_id"):
            return "bot"
        if subtype not in _PEOPLES or user_id == _SLACKBOT:
            return "slack"
        team_id = _sender_team(raw)
        is_home = self._us.is_home(team_id) if team_id else not shared
        return "person" if is_home else "outsider"

    def _words(self, raw: JSON) -> Said:
        text = raw.get("text")
        if text is None and raw.get("files"):
            text = ""
        if not isinstance(text, str):
            raise Malformed("text")
        return self._said(repaired(text))

    def _said(self, text: str) -> Said:
        return said(text, bot_user_id=self._us.user_id, name_of=self._name_of)

    def _changed(self, event: JSON, *, shared: bool) -> Edit | Deletion | Unread:
        now, before = _dict(event.get("message")), _dict(event.get("previous_message"))
        channel_id, ts = _id(event, "channel"), _ts(now, "ts")
        thread = ThreadKey(channel_id, _ts(now, "thread_ts") if now.get("thread_ts") is not None else ts)
        if now.get("subtype") == "tombstone":  # the root of a thread that goes on without it
            return Deletion(thread, ts, _text(before.get("user")))
        edited = _dict(now.get("edited"))
        sender = self._sender(now, shared=shared)
        if sender == "ourselves":
            return Edit(thread, ts, "", _text(edited.get("ts")) or _text(event.get("event_ts")), by_us=True)
        if sender in ("bot", "slack") or (sender == "outsider" and not self._outsiders):
            return Unread({"bot": "other_bot", "slack": "slack_itself"}.get(sender, sender))
        if not edited or now.get("text") == before.get("text"):
            return Unread("unfurled")
        words, in_dm = self._words(now), _place(event, channel_id) == "dm"
        return Edit(thread, ts, words.text, _ts(edited, "ts"), addressed=in_dm or words.mentions_us)

    def _deleted(self, event: JSON) -> Deletion | Unread:
        before = _dict(event.get("previous_message"))
        if not self.is_ours(before) and (before.get("bot_id") or before.get("subtype") == "bot_message"):
            return Unread("other_bot")
        ts = _ts(event, "deleted_ts")
        root_ts = _ts(before, "thread_ts") if before.get("thread_ts") is not None else ts
        return Deletion(ThreadKey(_id(event, "channel"), root_ts), ts, _text(before.get("user")))

    def _stop(self, event: JSON, body: JSON) -> Stop:
        channel_id, ts = _id(event, "channel"), _text(event.get("event_ts"))
        if not _TS.fullmatch(ts):
            ts = f"{body.get('event_time')}.999999"  # the second in which Slack says it happened
        if not _TS.fullmatch(ts):
            raise Malformed("event_ts")
        root_ts = _text(event.get("thread_ts"))
        if root_ts:
            return Stop(ThreadKey(channel_id, _ts(event, "thread_ts")), ts, _text(event.get("user")))
        if not channel_id.startswith("D"):
            raise Malformed("thread_ts")
        return Stop(ThreadKey(channel_id, ts), ts, _text(event.get("user")), whole_dm=True)


def _place(event: JSON, channel_id: str) -> Place:
    """A group DM is read by several people, so it counts as a channel. Mentions come without a channel type."""
    channel_type = event.get("channel_type")
    return "dm" if channel_type == "im" or (channel_type is None and channel_id.startswith("D")) else "channel"


def _is_shared(body: JSON) -> bool:
    return body.get("is_ext_shared_channel") is True


def _sender_team(raw: JSON) -> str:
    return _text(raw.get("user_team")) or _text(raw.get("source_team")) or _text(raw.get("team"))


def _files(raw: object) -> tuple[File, ...]:
    """A file of another organisation comes with its id alone."""
    listed = [_dict(each) for each in raw] if isinstance(raw, list) else []
    return tuple(
        File(_text(each["id"]), _text(each.get("name")), _text(each.get("mimetype")), _size(each.get("size")))
        for each in listed
        if _ID.fullmatch(_text(each.get("id")))
    )


def _size(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _claimable(value: object) -> str:
    text = _text(value)
    return text if _ID.fullmatch(text) else ""


def _id(raw: JSON, name: str) -> str:
    value = _text(raw.get(name))
    if not _ID.fullmatch(value):
        raise Malformed(name)
    return value


def _ts(raw: JSON, name: str) -> str:
    value = _text(raw.get(name))
    if not _TS.fullmatch(value):
        raise Malformed(name)
    return value


def _text(value: object) -> str:
    return repaired(value) if isinstance(value, str) else ""


def _dict(value: object) -> JSON:
    return value if isinstance(value, dict) else {}


def _first(value: object) -> JSON:
    return _dict(value[0]) if isinstance(value, list) and value else {}
