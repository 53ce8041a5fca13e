"""One taken turn in, its one visible outcome out. Read this file first.

Question, history and model are found, the model is listened to while its words are shown, and then, in this order: the
whole raw answer goes into the mirror (`delivering`), Slack gets its last update, the turn is closed.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.conversation.arrival import Stop
from bot.conversation.attempt import Attempt
from bot.conversation.choice import Chooser
from bot.conversation.history import exchanges, question, stop_since
from bot.conversation.hold import Hold
from bot.conversation.listening import Interrupted, listen, unless_interrupted
from bot.conversation.models import ModelEntry, Sampling
from bot.conversation.obey import obey
from bot.conversation.ports import Ending, Model, Replies
from bot.conversation.prompt import Budget, Composed, Reach, characters, compose
from bot.conversation.recall import Ahead, Recall
from bot.conversation.thread import Message, Place
from bot.conversation.turn import MAX_ATTEMPTS, ReplyMode, TurnState, retry_number
from bot.conversation.words import quoted, spoken_to_us
from bot.errors import BotError, ModelError, ModelUnavailable, PromptTooLong, SlackRejected, StreamBroken

log = logging.getLogger("tandem.turn")

_SHARE_OF_A_PROMPT_FOUND_TOO_LONG = 0.5
# What no model can know of itself, and people ask
_ABOUT_ITSELF = (
    "The model that you are is {label}. People choose another one with `!model`, end an answer with `stop`, and read "
    "more about both when they write `help`. Of files that they attach you see only the names."
)
_STATES: Mapping[str, TurnState] = {
    "answered": "answered",
    "told": "answered",
    "refused": "refused",
    "stopped": "stopped",
    "withdrawn": "stopped",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How the bot speaks, as an operator set it. `modes` gives each place its reply mode."""

    persona: str
    sampling: Sampling = field(default_factory=Sampling)
    modes: Mapping[Place, ReplyMode] = field(default_factory=lambda: {"dm": "native", "channel": "edit"})


@dataclass(frozen=True, slots=True)
class _Said:
    """What a prompt is made of: the thread's messages, the question among them, and how far back they reach."""

    messages: Sequence[Message]
    asked: Message
    reach: Reach


class Answerer:
    """Answers turns, one call each."""

    def __init__(
        self,
        models: Mapping[str, Model],
        chooser: Chooser,
        *,
        replies: Replies,
        recall: Recall,
        style: Style,
        monotonic: Callable[[], float],
        reference: Callable[[], str],
    ) -> None:
        self._models = models
        self._chooser = chooser
        self._replies = replies
        self._recall = recall
        self._style = style
        self._monotonic = monotonic
        self._reference = reference

    async def answer(self, hold: Hold) -> None:
        """See the turn to its end. Raises StoreError and SlackError with the turn left open, to be taken up again."""
        with self._recall.ahead(hold, self._models[self._chooser.likely(hold.thread).id].entry) as ahead:
            await self._answer(hold, ahead)

    async def _answer(self, hold: Hold, ahead: Ahead | None) -> None:
        turn = hold.turn
        choice = await self._chooser.resolve(
            team_id=turn.team_id, channel_id=turn.thread.channel_id, user_id=hold.thread.starter_id, thread=hold.thread
        )
        started = self._monotonic()
        reply = await self._replies.begin(hold, choice.reply_mode or self._style.modes[turn.place])
        attempt = Attempt(hold, reply, choice, self._chooser, ahead)
        try:
            if turn.state == "delivering":
                await self._deliver_again(attempt)
                return
            ending = await self._converse(attempt)
            await self._end(attempt, replace(ending, seconds=self._monotonic() - started))
        finally:
            reply.abandon()

    async def _converse(self, attempt: Attempt) -> Ending:
        """Everything up to the last word. A model's error becomes an ending."""
        try:
            if attempt.turn.attempts > MAX_ATTEMPTS:
                return attempt.failed("too_many_attempts", self._reference())
            return await self._respond(attempt)
        except Interrupted as interruption:
            return attempt.interrupted(interruption.by)
        except SlackRejected as rejection:
            if rejection.slack_code != "stopped_by_user":
                return attempt.failed(rejection.code, self._reference(), rejection)
            return replace(attempt.ending(attempt.speaker), kind="stopped", user_id=attempt.turn.asker_id)
        except ModelError as error:
            ending = attempt.failed(error.code, self._reference(), error)
            if isinstance(error, PromptTooLong):
                ending = replace(ending, limit=characters(error.limit_tokens or 0), retry=0)
            return ending
        except BotError:
            raise
        except Exception as bug:  # the asker is told of a bug too; operators find it by the reference
            return attempt.failed("internal", self._reference(), bug)

    async def _respond(self, attempt: Attempt) -> Ending:
        hold, choice = attempt.hold, attempt.choice
        if hold.turn.missed:
            return await self._list_missed(hold)
        if choice.entry is None:
            return Ending(kind="refused", error_code="no_model_allowed", facts={"label": choice.overruled})
        messages, reach = await unless_interrupted(
            hold, attempt.reply, self._recall.messages(hold, self._models[choice.entry.id].entry, attempt.ahead)
        )
        asked = question(messages, hold.turn)
        if asked is None:
            return Ending(kind="withdrawn")
        stop = None if retry_number(hold.turn.id) else stop_since(messages, hold.turn)
        if stop is not None:  # it came while nobody who lived had the turn
            raise Interrupted(Stop(stop.thread, stop.ts, stop.user_id))
        word = spoken_to_us(asked)
        if word is not None:
            return await obey(word, hold, self._chooser, choice)
        return await self._speak(attempt, choice.entry, _Said(messages, asked, reach))

    async def _list_missed(self, hold: Hold) -> Ending:
        """The asker is told what was found too late to be answered; not what was taken back meanwhile."""
        found = [await self._recall.message(hold.turn, ts) for ts in hold.turn.missed]
        texts = [message.text for message in found if message]
        if not texts:
            return Ending(kind="withdrawn")
        return Ending(kind="told", error_code="missed", facts={"list": "\n".join(map(quoted, texts))})

    async def _speak(self, attempt: Attempt, entry: ModelEntry, said: _Said) -> Ending:
        """Let the chosen model answer, or where it cannot its stand-in."""
        try:
            return await self._ask(attempt, entry, said)
        except ModelUnavailable as error:
            stand_in = self._models.get(entry.stand_in)
            if attempt.heard.text or stand_in is None or not attempt.choice.admits(stand_in.entry):
                raise
            log.warning("stood in", extra={"turn": attempt.turn.id, "model": entry.id, "code": error.code})
            ending = await self._ask(attempt, stand_in.entry, said)
            return replace(ending, notes=(f"stood_in:{entry.label}", *ending.notes))

    async def _ask(self, attempt: Attempt, entry: ModelEntry, said: _Said) -> Ending:
        """One model's answer. A prompt found too long is halved once, an empty answer asked for once more."""
        model, heard = self._models[entry.id], attempt.heard
        attempt.hold.name_model(entry.id)
        composed = self._compose(attempt, model.entry, said)
        try:
            await self._listen(attempt, model, composed)
        except PromptTooLong:
            if heard.text:
                raise
            composed = self._compose(attempt, model.entry, said, _SHARE_OF_A_PROMPT_FOUND_TOO_LONG)
            await self._listen(attempt, model, composed)
        if heard.last and heard.last.finish == "stop" and not heard.text.strip():
            await self._listen(attempt, model, composed)
        return self._verdict(attempt, entry, shortened=composed.shortened)

    def _verdict(self, attempt: Attempt, entry: ModelEntry, *, shortened: bool) -> Ending:
        heard = attempt.heard
        finish = heard.last.finish if heard.last else None
        ending = attempt.ending(entry)
        if heard.last and finish == "blocked":
            log.info("refused by the model", extra={"turn": attempt.turn.id, "detail": heard.last.detail})
            return replace(ending, kind="refused", error_code="blocked")
        if not heard.text.strip():
            return attempt.failed("empty_answer", self._reference())
        choice = attempt.choice
        notes = {
            f"gone:{choice.gone}": choice.gone,
            f"overruled:{choice.overruled}": choice.overruled,
            "history_cut": shortened,
            "length": finish == "length",
        }
        return replace(ending, notes=tuple(note for note, holds in notes.items() if holds))

    async def _listen(self, attempt: Attempt, model: Model, composed: Composed) -> None:
        if composed.cut_ts:
            attempt.hold.note(cut=(model.entry.id, composed.cut_ts))
        heard = listen(model, composed.prompt, attempt.reply, attempt.heard)
        await unless_interrupted(attempt.hold, attempt.reply, heard)

    def _compose(self, attempt: Attempt, entry: ModelEntry, said: _Said, share: float = 1.0) -> Composed:
        sampling = self._style.sampling
        most = min(sampling.max_tokens or entry.answer_tokens, entry.answer_tokens)
        return compose(
            exchanges(said.messages, attempt.turn),
            said.asked,
            persona=f"{self._style.persona}\n\n{_ABOUT_ITSELF.format(label=entry.label)}",
            place=attempt.turn.place,
            budget=Budget.of(entry, share),
            sampling=replace(sampling, max_tokens=most),
            cache_salt=attempt.turn.team_id,
            reach=said.reach,
        )

    async def _end(self, attempt: Attempt, ending: Ending) -> None:
        """The raw answer into the mirror, the last update into Slack, the turn closed."""
        hold = attempt.hold
        shown = attempt.heard.text if ending.kind != "withdrawn" else ""
        if shown.strip() and not await self._opened(attempt, ending):
            shown, ending = "", attempt.failed(SlackRejected.code, ending.reference or self._reference())
        state = _STATES.get(ending.kind, "dead" if ending.error_code == "too_many_attempts" else "failed")
        if shown.strip():
            await hold.deliver(attempt.answer(shown, ending.model_id), state)
            await self._last_update(attempt, ending)
            await hold.close(state)
        else:
            await self._last_update(attempt, ending)
            await hold.close(state, attempt.answer(""))
        facts = {"turn": hold.turn.id, "state": state, "model": ending.model_id, "code": ending.error_code}
        log.info("turn ended", extra=facts | {"seconds": round(ending.seconds, 3)})

    async def _opened(self, attempt: Attempt, ending: Ending) -> bool:
        """Whether people see anything of the answer; what nobody saw is not for the mirror either."""
        try:
            await attempt.reply.open(ending)
        except SlackRejected as error:
            log.warning("answer refused", extra={"turn": attempt.turn.id, "code": error.slack_code})
        return bool(attempt.turn.parts)

    async def _last_update(self, attempt: Attempt, ending: Ending) -> None:
        """Slack's no is final: the message or its channel is gone, and there is nobody to tell."""
        try:
            await attempt.reply.end(ending)
        except SlackRejected as error:
            log.warning("last update refused", extra={"turn": attempt.turn.id, "code": error.slack_code})

    async def _deliver_again(self, attempt: Attempt) -> None:
        """Only the last update is missing: the answer is in the mirror."""
        turn = attempt.turn
        state: TurnState = turn.ending or "answered"
        said = await self._recall.answer_of(turn)
        attempt.reply.push(said.text if said else "")
        ending = attempt.ending(self._chooser.find(turn.model_id))
        if state == "failed":
            ending = replace(ending, kind="cut", error_code=StreamBroken.code, retry=retry_number(turn.id) + 1)
        elif state == "stopped":
            ending = replace(ending, kind="stopped", user_id=turn.asker_id)
        elif state == "refused":
            ending = replace(ending, kind="refused", error_code="blocked")
        await self._last_update(attempt, ending)
        await attempt.hold.close(state)
