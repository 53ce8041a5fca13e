"""Which model answers: thread, then channel, then user, then workspace; a channel's policy above them all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.conversation.mirror import ThreadStore
from bot.conversation.models import ModelEntry
from bot.conversation.ports import Directory
from bot.conversation.thread import Channel, Person, Thread, ThreadKey
from bot.conversation.turn import ReplyMode

Level = Literal["thread", "channel", "user", "workspace"]
Authority = Level | Literal["policy"]
Refusal = Literal["unknown_model", "not_allowed_guest", "not_a_member", "self_hosted_only", "vanished_thread"]

_DEFAULT = "default"  # in place of a name: no choice any more; a model of that name goes before it


@dataclass(frozen=True, slots=True)
class Choice:
    """Who answers, and why. `gone` names a chosen model that the catalogue no longer has."""

    entry: ModelEntry | None  # None: the channel's policy leaves nobody
    level: Level
    gone: str = ""
    overruled: str = ""  # label of the chosen model that the channel's policy set aside
    self_hosted_only: bool = False  # the channel's policy
    reply_mode: ReplyMode | Literal[""] = ""  # the channel's own
    person: str = ""  # name of the person whose own choice counts at level "user", where it is known

    @property
    def by(self) -> Authority:
        """Who decided: a level, or the channel's policy against it."""
        return "policy" if self.overruled else self.level

    def admits(self, entry: ModelEntry) -> bool:
        """Whether the channel's policy lets this model answer."""
        return not self.self_hosted_only or entry.where != "managed"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A change of model: done, or why not (`refusal`)."""

    entry: ModelEntry | None = None  # None: the choice was taken back, or the change refused
    refusal: Refusal | None = None

    @property
    def model_id(self) -> str:
        """What is stored of it; "" = no choice."""
        return self.entry.id if self.entry else ""

    @property
    def undone(self) -> bool:
        """Whether the choice was taken back."""
        return self.entry is None and self.refusal is None


class Chooser:
    """The catalogue's entries in its order, and everybody's choices among them. `aliases`: other name -> id."""

    def __init__(
        self,
        entries: Sequence[ModelEntry],
        default_id: str,
        *,
        threads: ThreadStore,
        directory: Directory,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self._names = {entry.label.casefold(): entry.id for entry in entries} | dict(aliases or {})
        self._by_id = {entry.id: entry for entry in entries}
        self._default = self._by_id[default_id]
        self._threads = threads
        self._directory = directory

    def find(self, words: str) -> ModelEntry | None:
        """The entry that somebody means by its id, its label or another name of it, whatever the case."""
        wanted = _name(words)
        return self._by_id.get(wanted) or self._by_id.get(self._names.get(wanted, ""))

    def allowed(self, *, self_hosted_only: bool) -> tuple[ModelEntry, ...]:
        """The entries that a channel's policy admits."""
        return tuple(e for e in self.entries if not self_hosted_only or e.where != "managed")

    def likely(self, thread: Thread) -> ModelEntry:
        """Who will answer there, as far as is known without asking the store."""
        return self._by_id.get(thread.model_id, self._default)

    async def resolve(self, *, team_id: str, channel_id: str, user_id: str, thread: Thread | None = None) -> Choice:
        """Who answers here and now. `user_id` is whoever began the thread. Reads the store alone, never Slack.

        An empty id stands for a channel, or for a person, that has chosen nothing.
        """
        channel, person = await asyncio.gather(self._channel(team_id, channel_id), self._person(team_id, user_id))
        wishes: tuple[tuple[Level, str], ...] = (
            ("thread", thread.model_id if thread else ""),
            ("channel", channel.model_id),
            ("user", person.model_id),
        )
        choice = replace(
            self._first(wishes),
            self_hosted_only=channel.self_hosted_only,
            reply_mode=channel.reply_mode,
            person=person.name,
        )
        if choice.entry is None or choice.admits(choice.entry):
            return choice
        admitted = self.allowed(self_hosted_only=True)
        return replace(choice, entry=admitted[0] if admitted else None, overruled=choice.entry.label)

    async def resolve_in(self, key: ThreadKey, *, team_id: str) -> Choice:
        """Who answers in this thread, as the store knows it now."""
        thread = await self._threads.thread(key)
        starter_id = thread.starter_id if thread else ""
        return await self.resolve(team_id=team_id, channel_id=key.channel_id, user_id=starter_id, thread=thread)

    def _first(self, wishes: Sequence[tuple[Level, str]]) -> Choice:
        gone = ""
        for level, model_id in wishes:
            if model_id in self._by_id:
                return Choice(self._by_id[model_id], level, gone)
            gone = gone or model_id
        return Choice(self._default, "workspace", gone)

    async def set_for_thread(self, key: ThreadKey, words: str, *, team_id: str, user_id: str) -> Chosen:
        """The thread's model from its next turn on; any full member may. As everywhere, `default` takes it back."""
        chosen = await self._permitted(words, team_id, user_id, key.channel_id)
        if chosen.refusal:
            return chosen
        if not await self._threads.set_thread_model(key, chosen.model_id):
            return Chosen(refusal="vanished_thread")
        return chosen

    async def set_for_channel(self, channel_id: str, words: str, *, team_id: str, user_id: str) -> Chosen:
        """The channel's model for threads that have none of their own; its members may."""
        chosen = await self._permitted(words, team_id, user_id, channel_id)
        if chosen.refusal:
            return chosen
        if not await self._directory.is_member(channel_id, user_id):
            return Chosen(refusal="not_a_member")
        channel = await self._channel(team_id, channel_id)
        await self._threads.save_channel(replace(channel, model_id=chosen.model_id))
        return chosen

    async def set_for_user(self, words: str, *, team_id: str, user_id: str) -> Chosen:
        """A person's own model for the threads they begin."""
        chosen = await self._permitted(words, team_id, user_id)
        if chosen.refusal:
            return chosen
        person = await self._person(team_id, user_id)
        await self._threads.save_person(replace(person, model_id=chosen.model_id))
        return chosen

    async def _permitted(self, words: str, team_id: str, user_id: str, channel_id: str = "") -> Chosen:
        entry = self.find(words)
        if entry is None and _name(words) != _DEFAULT:
            return Chosen(refusal="unknown_model")
        person = await self._directory.person(team_id, user_id)
        if person.is_guest or person.is_stranger:
            return Chosen(refusal="not_allowed_guest")
        managed = entry is not None and entry.where == "managed"
        if channel_id and managed and (await self._channel(team_id, channel_id)).self_hosted_only:
            return Chosen(refusal="self_hosted_only")
        return Chosen(entry)

    async def _channel(self, team_id: str, channel_id: str) -> Channel:
        stored = await self._threads.channel(team_id, channel_id) if channel_id else None
        return stored or Channel(team_id, channel_id)

    async def _person(self, team_id: str, user_id: str) -> Person:
        stored = await self._threads.person(team_id, user_id) if user_id else None
        return stored or Person(team_id, user_id)


def _name(words: str) -> str:
    return words.strip().strip("`*\"'").casefold()
