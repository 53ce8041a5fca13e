"""Codes in, sentences out: everything that Tandem itself says to people."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.conversation.ports import Ending

_NO_MODEL = "{model} could not be reached. Please try again in a moment"
_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "model": "{model} ran into trouble. Please try again in a moment",
        "model_unavailable": _NO_MODEL + ", or choose another model",
        "model_overloaded": "{model} has more questions than it can answer right now. Please try again in a minute",
        "model_misconfigured": "{model} is not set up correctly, so it cannot answer. Please tell whoever runs Tandem",
        "prompt_too_long": "That is more text than {model} can read at once{limit}. Please shorten it or split it up",
        "stream_broken": "{model} stopped in the middle of its answer. Please ask again",
        "empty_answer": "{model} gave no answer. Please ask again, perhaps in other words",
        "blocked": "{model} declined to answer that. Putting the question differently may help",
        "no_model_allowed": "This channel keeps its words on the team's own models, so {label} may not answer here, "
        "and there is no other one. Please tell whoever runs Tandem",
        "store": "I could not save this conversation. Please try again in a moment",
        "store_unavailable": "I could not save this conversation. Please try again in a moment",
        "slack": "Slack did not answer me. Please try again in a moment",
        "slack_unavailable": "Slack did not answer me. Please try again in a moment",
        "slack_rejected": "Slack did not let me do that. Please tell whoever runs Tandem",
        "too_many_attempts": "I tried several times and could not answer. Please ask again",
        "internal": "Something broke while answering. Please try again in a moment",
        "lease_lost": "The answer was interrupted. Please ask again",
    }
)
_UNKNOWN = "Something went wrong while answering. Please try again in a moment"
# These are the model's or the channel's doing, and nothing is broken: the log has no more to say.
_WITHOUT_REFERENCE = frozenset({"blocked", "no_model_allowed"})

_NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "help": "Hi! Ask me something: mention me in a channel, or just write here. In a thread I remember what was "
        "said. `!model` shows who answers, `!model <name>` changes it and `!model default` undoes that; `stop` stops "
        "an answer.",
        "unknown_model": "I know no model called “{name}”. There are: {known}.",
        "model_current": "{label} answers here, {by}. There are: {known}. `default` undoes a choice.",
        "model_set": "{label} answers in this thread from now on.",
        "model_unset": "No model is chosen for this thread now, so {label} answers here, {by}.",
        "model_set_for_me": "{label} answers the threads you start from now on.",
        "model_set_for_me_not_here": "{label} answers the threads you start from now on, but in this channel {here} "
        "answers, {by}.",
        "model_unset_for_me": "You have no model of your own now, so {label} answers the threads you start, as set for "
        "the workspace.",
        "model_unset_for_me_not_here": "You have no model of your own now, so {label} answers the threads you start, "
        "as set for the workspace; but in this channel {here} answers, {by}.",
        "model_set_for_channel": "{who} chose {label} for this channel.",
        "model_unset_for_channel": "{who} set this channel back to the default: threads are answered by the model of "
        "whoever starts them, or else by {label}, {by}.",
        "self_hosted_only": "That model cannot be used here: this channel keeps its words on the team's own models.",
        "model_gone": "The model “{name}” no longer exists, so {label} answers. There are: {known}. `default` undoes a "
        "choice.",
        "not_allowed_guest": "Guests cannot change the model. Any full member of the workspace can.",
        "not_a_member": "Only members of that channel can choose its model.",
        "outsider": "I only answer members of this workspace.",
        "nothing_to_stop": "Nothing is being answered here right now.",
        "missed": "I was not there when you wrote this, and by now it is too long ago to answer unasked:\n{list}\n"
        "Ask again if you still want to know.",
        "question_withdrawn": "Stopped. 1 waiting question was dropped.",
        "questions_withdrawn": "Stopped. {count} waiting questions were dropped.",
        "stopped": "Stopped.",
        "asked_already": "That question has been asked again already.",
        "vanished_thread": "I no longer know that conversation. Please ask your question again.",
    }
)

# Who decided on the model. A thread is read by many, so there a person's own choice goes with their name.
_BY: Mapping[str, str] = MappingProxyType(
    {
        "thread": "as chosen for this thread",
        "channel": "as chosen for this channel",
        "user": "as chosen by whoever began this thread",
        "you": "as you chose for yourself",
        "workspace": "as set for the workspace",
        "policy": "as this channel keeps its words on the team's own models",
    }
)


def notice(code: str, facts: Mapping[str, str]) -> str:
    """The sentence for a notice; facts without a place in it are left out, missing ones read as "?"."""
    if code == "questions_withdrawn" and facts.get("count") == "1":
        code = "question_withdrawn"
    by = {"by": _decided(facts["by"], facts.get("person", ""))} if "by" in facts else {}
    return _filled(_NOTICES.get(code, _UNKNOWN + "."), {**facts, **by})


def _decided(by: str, person: str) -> str:
    if by != "user" or not person:
        return _BY.get(by, "?")
    name = _name(person)
    return f"as chosen by {name} for the threads {name} begins"


def apology(
    code: str, *, model: str = "", limit: int = 0, reference: str = "", facts: Mapping[str, str] | None = None
) -> str:
    """The sentence for a BotError's code, with the reference that an operator could look up."""
    limited = f": about {limit:,} characters fit" if limit else ""
    known = {"model": model or "The model", "limit": limited, **(facts or {})}
    sentence = _filled(_ERRORS.get(code, _UNKNOWN), known)
    reference = reference if code not in _WITHOUT_REFERENCE else ""
    return f"{sentence} (reference {reference})." if reference else f"{sentence}."


def in_place_of_answer(ending: Ending) -> str:
    """What is shown where there is no text of a model's."""
    if ending.kind == "told":
        return notice(ending.error_code, ending.facts)
    if ending.kind == "stopped":
        return "Stopped before the answer began."
    code = ending.error_code or {"refused": "blocked", "answered": "empty_answer"}.get(ending.kind, "")
    model, limit, reference = ending.model_label, ending.limit, ending.reference
    return apology(code, model=model, limit=limit, reference=reference, facts=ending.facts)


def ending_note(ending: Ending, *, stopped_by: str) -> list[str]:
    """What is said under an answer, beside who gave it; parts that begin with "_" are mrkdwn already."""
    said = [text for text in map(_note, ending.notes) if text]
    if ending.kind == "stopped":
        said.insert(0, f"_Stopped by {_name(stopped_by)}_" if stopped_by else "_Stopped_")
    elif ending.kind in ("cut", "failed"):
        why = apology(ending.error_code or "stream_broken", model=ending.model_label, reference=ending.reference)
        said.insert(0, f"⚠️ Cut off. {why}")
    elif ending.kind == "refused":
        said.insert(0, in_place_of_answer(ending))
    return said


def _note(note: str) -> str:
    kind, _, detail = note.partition(":")
    sentences = {
        "history_cut": "the oldest messages of this thread were left out",
        "stood_in": f"{detail} could not answer, so this model stood in",
        "length": "the answer reached its length limit",
        "gone": f"the chosen model “{detail}” no longer exists",
        "overruled": f"{detail} may not answer in this channel",
    }
    return sentences.get(kind, "")


def _name(text: str) -> str:
    """A name as plain words: nothing in it is a mention or formatting."""
    plain = "".join(" " if character in "<>&_*~`" else character for character in text)
    return " ".join(plain.split())[:80] or "somebody"


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _filled(sentence: str, facts: Mapping[str, str]) -> str:
    return sentence.format_map(_Facts(facts))
