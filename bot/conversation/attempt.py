"""One attempt at a turn: the hold, the reply, who was chosen and what was heard; and the endings it can come to."""

import logging
from dataclasses import dataclass, field, replace

from bot.conversation.arrival import Deletion, Stop
from bot.conversation.choice import Choice, Chooser
from bot.conversation.hold import Hold
from bot.conversation.listening import Heard
from bot.conversation.models import ModelEntry
from bot.conversation.ports import Ending, ModelChoice, Reply
from bot.conversation.recall import Ahead
from bot.conversation.thread import Message
from bot.conversation.turn import Turn, retry_number
from bot.errors import BotError

log = logging.getLogger("tandem.turn")


@dataclass(slots=True)
class Attempt:
    """What belongs together while one turn is answered."""

    hold: Hold
    reply: Reply
    choice: Choice
    chooser: Chooser
    ahead: Ahead | None = None
    heard: Heard = field(default_factory=Heard)

    @property
    def turn(self) -> Turn:
        """The turn as last saved."""
        return self.hold.turn

    @property
    def speaker(self) -> ModelEntry | None:
        """Who was asked last: the chosen model, or its stand-in."""
        return self.chooser.find(self.turn.model_id) or self.choice.entry

    def ending(self, entry: ModelEntry | None) -> Ending:
        """An ending that says who spoke, and offers those who may speak next."""
        admitted = self.chooser.allowed(self_hosted_only=self.choice.self_hosted_only)
        return Ending(
            kind="answered",
            model_id=entry.id if entry else "",
            model_label=entry.label if entry else "",
            choices=tuple(ModelChoice(each.id, each.label) for each in admitted) if len(admitted) > 1 else (),
        )

    def interrupted(self, by: Stop | Deletion) -> Ending:
        """Somebody stopped it, or took back what it is about."""
        ending = self.ending(self.speaker)
        return replace(ending, kind="stopped" if isinstance(by, Stop) else "withdrawn", user_id=by.user_id)

    def failed(self, code: str, reference: str, error: Exception | None = None) -> Ending:
        """No whole answer, for a reason that people are told and operators find under the reference."""
        facts = {"turn": self.turn.id, "code": code, "reference": reference, "reason": str(error or "")}
        unexpected = None if isinstance(error, BotError) else error  # where it came from is known of the others
        log.error("turn failed", extra=facts, exc_info=unexpected)
        return replace(
            self.ending(self.speaker),
            kind="cut" if self.heard.text.strip() else "failed",
            error_code=code,
            reference=reference,
            retry=retry_number(self.turn.id) + 1,
        )

    def answer(self, text: str, model_id: str = "") -> Message:
        """The mirror's message that closes the question, also where there was nothing to say."""
        turn = self.turn
        return Message(
            thread=turn.thread,
            ts=turn.parts[0].ts if turn.parts else f"{turn.question_ts}a",
            role="model",
            text=text,
            turn_id=turn.id,
            question_ts=turn.question_ts,
            model_id=model_id,
            usage=self.heard.last.usage if self.heard.last else None,
        )
