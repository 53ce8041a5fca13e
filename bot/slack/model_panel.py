"""Who answers, as people see and change it in /model, under answers and in the Home tab: wishes in, sentences out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.conversation.choice import Choice, Chooser, Chosen
from bot.conversation.models import ModelEntry
from bot.conversation.ports import Directory, ModelChoice
from bot.conversation.thread import ThreadKey
from bot.errors import SlackError
from bot.slack.apologies import apology, notice
from bot.slack.authorize import Identity
from bot.slack.blocks import escaped, model_menu
from bot.slack.interactions import Scope

log = logging.getLogger("tandem.slack.events")

Block = dict[str, Any]

_SCOPE_BLOCK = "model_for"
_LABELS: Mapping[Scope, str] = {"user": "Choose for you:", "channel": "Choose for this channel:"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to who asked, or to the whole channel."""

    text: str
    blocks: tuple[Block, ...] = ()
    to_channel: bool = False


class ModelPanel:
    """Shows the choice and takes wishes. Each wish is judged anew, whoever was shown the menu."""

    def __init__(self, chooser: Chooser, directory: Directory, us: Identity) -> None:
        self._chooser = chooser
        self._directory = directory
        self._us = us

    async def show(self, *, channel_id: str, user_id: str, scope: Scope) -> Answer:
        """Who answers, which level decided, and a menu that sets `scope`; raises StoreError."""
        choice = await self._chooser.resolve(team_id=self._us.team_id, channel_id=channel_id, user_id=user_id)
        admitted = self._chooser.allowed(self_hosted_only=choice.self_hosted_only)
        if choice.entry is None:
            return Answer(_nobody(choice))
        facts = {"label": choice.entry.label, "by": _by(choice), "name": choice.gone, "known": _known(admitted)}
        text = self._said("model_gone" if choice.gone else "model_current", **facts)
        choices = [ModelChoice(entry.id, entry.label) for entry in admitted]
        menu = model_menu(choices, chosen=await self._chosen_for(scope, channel_id, user_id))
        label = _section(_LABELS[scope]) | {"block_id": scope_block_id(scope), "accessory": menu}
        return Answer(text, (_section(text), label))

    async def _chosen_for(self, scope: Scope, channel_id: str, user_id: str) -> str:
        """The id of who answers by this one's choice alone: what answers here may be another's."""
        choice = await self._chooser.resolve(
            team_id=self._us.team_id,
            channel_id=channel_id if scope == "channel" else "",
            user_id=user_id if scope == "user" else "",
        )
        return choice.entry.id if choice.entry else ""

    async def choose_for_thread(self, words: str, *, thread: ThreadKey, user_id: str) -> Answer:
        """The thread's model; `default` takes the choice back. Raises StoreError and SlackError, as do the others."""
        chosen = await self._chooser.set_for_thread(thread, words, team_id=self._us.team_id, user_id=user_id)
        if not chosen.undone:
            return self._answer(chosen, words, "model_set", user_id=user_id)
        now = await self._chooser.resolve_in(thread, team_id=self._us.team_id)
        return self._answer(chosen, words, "model_unset", user_id=user_id, now=now, by=now.by, person=now.person)

    async def choose(self, words: str, *, scope: Scope, channel_id: str, user_id: str) -> Answer:
        """A channel's model, which the channel is told, or one's own."""
        if scope == "user":
            return await self._choose_for_user(words, channel_id, user_id)
        chosen = await self._chooser.set_for_channel(channel_id, words, team_id=self._us.team_id, user_id=user_id)
        if chosen.refusal:
            return self._answer(chosen, words, "", user_id=user_id)
        who = await self._name(user_id)
        if not chosen.undone:
            answer = self._answer(chosen, words, "model_set_for_channel", user_id=user_id, who=who)
        else:
            now = await self._chooser.resolve(team_id=self._us.team_id, channel_id=channel_id, user_id="")
            done = "model_unset_for_channel"
            answer = self._answer(chosen, words, done, user_id=user_id, now=now, by=now.by, who=who)
        return replace(answer, to_channel=True)

    async def _choose_for_user(self, words: str, channel_id: str, user_id: str) -> Answer:
        """One's own model. The channel where this is said may have another: then who answers here is said too."""
        chosen = await self._chooser.set_for_user(words, team_id=self._us.team_id, user_id=user_id)
        if chosen.refusal:
            return self._answer(chosen, words, "", user_id=user_id)
        done = "model_unset_for_me" if chosen.undone else "model_set_for_me"
        anywhere = await self._chooser.resolve(team_id=self._us.team_id, channel_id="", user_id=user_id)
        here = await self._chooser.resolve(team_id=self._us.team_id, channel_id=channel_id, user_id=user_id)
        if here.entry is None:
            answer = self._answer(chosen, words, done, user_id=user_id, now=anywhere)
            return replace(answer, text=f"{answer.text} {_nobody(here)}")
        if here.entry != anywhere.entry:
            done = f"{done}_not_here"
        return self._answer(chosen, words, done, user_id=user_id, now=anywhere, here=here.entry.label, by=_by(here))

    def _answer(
        self, chosen: Chosen, words: str, done: str, *, user_id: str, now: Choice | None = None, **facts: str
    ) -> Answer:
        """Why not, or done; with `now`, who answers since."""
        entry = now.entry if now else chosen.entry or self._chooser.find(words)
        code = chosen.refusal or done
        log.info("model chosen", extra={"user": user_id, "outcome": code, "model": chosen.model_id})
        if now and entry is None:
            return Answer(_nobody(now))
        known = _known(self._chooser.entries)
        return Answer(self._said(code, name=words, label=entry.label if entry else words, known=known, **facts))

    async def _name(self, user_id: str) -> str:
        try:
            return (await self._directory.person(self._us.team_id, user_id)).name or "Somebody"
        except SlackError:
            return "Somebody"

    def _said(self, code: str, **facts: str) -> str:
        """A sentence as mrkdwn in which nothing that somebody typed is live."""
        return notice(code, {name: escaped(fact) for name, fact in facts.items()})


def scope_block_id(scope: Scope) -> str:
    """The block_id of a menu that sets a channel's or one's own model."""
    return f"{_SCOPE_BLOCK}:{scope}"


def scope_of(block_id: str) -> Scope | None:
    """What a menu sets, by its block_id; None = the thread in which it stands."""
    scopes: tuple[Scope, ...] = ("user", "channel")
    return next((scope for scope in scopes if block_id == scope_block_id(scope)), None)


def _by(choice: Choice) -> str:
    """Who decided, to whom it is told in private: their own choice is theirs."""
    return "you" if choice.by == "user" else choice.by


def _nobody(choice: Choice) -> str:
    return apology("no_model_allowed", facts={"label": escaped(choice.overruled)})


def _known(entries: Sequence[ModelEntry]) -> str:
    return ", ".join(f"`{entry.id}` ({entry.label})" for entry in entries)


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
