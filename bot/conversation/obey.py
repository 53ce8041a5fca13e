"""A control word in a thread in, the bot's own answer to it out."""

from bot.conversation.choice import Choice, Chooser
from bot.conversation.hold import Hold
from bot.conversation.ports import Ending, ModelChoice
from bot.conversation.words import ControlWord


async def obey(word: ControlWord, hold: Hold, chooser: Chooser, choice: Choice) -> Ending:
    """Do what it says. A `stop` acts at once, not in its turn; here comes only one that found nothing to stop."""
    if word.kind == "stop":
        return Ending(kind="told", error_code="nothing_to_stop")
    if word.kind == "help":
        return Ending(kind="told", error_code="help")
    entries = chooser.allowed(self_hosted_only=choice.self_hosted_only)
    menu = tuple(ModelChoice(entry.id, entry.label) for entry in entries)
    known = ", ".join(f"`{entry.id}` ({entry.label})" for entry in entries)
    if not word.argument:
        facts = {"known": known, "name": choice.gone}
        return _decided("model_gone" if choice.gone else "model_current", choice, facts, menu)
    chosen = await chooser.set_for_thread(
        hold.thread.key, word.argument, team_id=hold.turn.team_id, user_id=hold.turn.asker_id
    )
    if chosen.refusal:
        facts = {"name": word.argument, "known": known}
        offered = menu if chosen.refusal != "not_allowed_guest" else ()  # any other choice would be refused too
        return Ending(kind="told", error_code=chosen.refusal, facts=facts, choices=offered)
    if chosen.entry is None:
        now = await chooser.resolve_in(hold.thread.key, team_id=hold.turn.team_id)
        return _decided("model_unset", now, {}, menu)
    facts = {"label": chosen.entry.label}
    return Ending(kind="told", error_code="model_set", model_id=chosen.entry.id, facts=facts, choices=menu)


def _decided(code: str, choice: Choice, facts: dict[str, str], menu: tuple[ModelChoice, ...]) -> Ending:
    """Who answers and who decided it, told to everybody in the thread."""
    now, label = (choice.entry.id, choice.entry.label) if choice.entry else ("", "")
    facts = facts | {"label": label, "by": choice.by, "person": choice.person}
    return Ending(kind="told", error_code=code, model_id=now, facts=facts, choices=menu)
