"""Ids in, people and channels out: from the store, or from Slack once a day.

What Slack says and what people chose share a record. So a record is read again right before it is written, and never
kept in memory: only names are, for the texts of messages that are read before their ack.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bot.conversation.mirror import ThreadStore
from bot.conversation.thread import Channel, Person
from bot.errors import SlackError
from bot.slack.authorize import Identity
from bot.slack.calls import SlackCalls
from bot.slack.entities import repaired

JSON = Mapping[str, Any]
Record = TypeVar("Record", Person, Channel)

_FRESH_S = 24 * 3600.0
_NAMES_MOST = 10_000
_MEMBERS_PER_PAGE = 1000  # https://docs.slack.dev/reference/methods/conversations.members


class SlackDirectory:
    """The core's Directory."""

    def __init__(
        self, calls: SlackCalls, threads: ThreadStore, us: Identity, *, now: Callable[[], float] = time.time
    ) -> None:
        self._calls = calls
        self._threads = threads
        self._us = us
        self._now = now
        self._names: OrderedDict[str, str] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Any]] = {}

    def name_of(self, user_id: str) -> str:
        """A name that was seen lately, "" where none was. Asks nobody."""
        return self._names.get(user_id, "")

    async def person(self, team_id: str, user_id: str) -> Person:
        """Who somebody is; raises SlackError where nothing at all is known, and StoreError."""
        stored = await self._threads.person(team_id, user_id)
        person = await self._fresh(user_id, stored, lambda: self._ask_person(team_id, user_id))
        self._remember(user_id, person.name)
        return person

    async def channel(self, team_id: str, channel_id: str) -> Channel:
        """What a channel is; raises SlackError where nothing at all is known, and StoreError."""
        stored = await self._threads.channel(team_id, channel_id)
        return await self._fresh(channel_id, stored, lambda: self._ask_channel(team_id, channel_id))

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Whether somebody is in a channel now; raises SlackError."""
        cursor = ""
        while True:
            page = await self._calls.call(
                "conversations.members", channel=channel_id, limit=_MEMBERS_PER_PAGE, cursor=cursor or None
            )
            if user_id in page.get("members", ()):
                return True
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return False

    async def _fresh(self, key: str, stored: Record | None, ask: Callable[[], Awaitable[Record]]) -> Record:
        if stored is not None and self._now() - stored.fetched_at < _FRESH_S:
            return stored
        try:
            return await self._once(key, ask)
        except SlackError:
            if stored is not None and stored.fetched_at:
                return stored
            raise

    async def _once(self, key: str, ask: Callable[[], Awaitable[Record]]) -> Record:
        """Whoever asks the same while an answer is on its way waits for that one."""
        task: asyncio.Task[Record] | None = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(_awaited(ask))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask_person(self, team_id: str, user_id: str) -> Person:
        answer = await self._calls.call("users.info", user=user_id)
        user: JSON = answer.get("user") or {}
        stored = await self._threads.person(team_id, user_id) or Person(team_id, user_id)
        person = replace(
            stored,
            name=_name(user),
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_stranger=self._is_stranger(user),
            fetched_at=self._now(),
        )
        await self._threads.save_person(person)
        return person

    async def _ask_channel(self, team_id: str, channel_id: str) -> Channel:
        answer = await self._calls.call("conversations.info", channel=channel_id)
        found: JSON = answer.get("channel") or {}
        stored = await self._threads.channel(team_id, channel_id) or Channel(team_id, channel_id)
        channel = replace(
            stored,
            name=repaired(str(found.get("name") or "")),
            is_shared=bool(found.get("is_ext_shared")),
            fetched_at=self._now(),
        )
        await self._threads.save_channel(channel)
        return channel

    def _is_stranger(self, user: JSON) -> bool:
        """Of another organisation: workspaces of one Enterprise Grid are one."""
        enterprise_id = str((user.get("enterprise_user") or {}).get("enterprise_id") or "")
        team_id = str(user.get("team_id") or "")
        at_home = not team_id or self._us.is_home(team_id) or self._us.is_home(enterprise_id)
        return bool(user.get("is_stranger")) or not at_home

    def _remember(self, user_id: str, name: str) -> None:
        self._names[user_id] = name
        self._names.move_to_end(user_id)
        if len(self._names) > _NAMES_MOST:
            self._names.popitem(last=False)


async def _awaited(ask: Callable[[], Awaitable[Record]]) -> Record:
    return await ask()


def _name(user: JSON) -> str:
    profile: JSON = user.get("profile") or {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((repaired(name) for name in names if isinstance(name, str) and name), "")
