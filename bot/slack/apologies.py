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
        "empty": "{model} gave no answer. Please ask again, perhaps in other words",
        "refused": "{model} declined to answer that. Putting the question differently may help",
        "policy": "This channel keeps its words on the team's own models, and none of them can answer right now. "
        "Please try again later",
        "model_gone": "The model chosen for this thread no longer exists. Type `!model` to see which ones there are",
        "store": "I could not save this conversation. Please try again in a moment",
        "store_unavailable": "I could not save this conversation. Please try again in a moment",
        "slack": "Slack did not let me show the answer. Please try again in a moment",
        "slack_unavailable": "Slack did not let me show the answer. Please try again in a moment",
        "slack_rejected": "Slack did not let me show the answer. Please tell whoever runs Tandem",
        "too_many_attempts": "I tried several times and could not answer. Please ask again",
        "busy": "There are more questions than I can take right now. Please try again in a minute",
    }
)
_UNKNOWN = "Something went wrong while answering. Please try again in a moment"
# Whoever runs the bot can look these up; the rest people can solve themselves.
_WITHOUT_REFERENCE = frozenset({"prompt_too_long", "refused", "policy", "model_gone", "empty"})

_NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "help": "Hi! Ask me something: mention me in a channel, or just write here. In a thread I remember what was "
        "said. `!model` shows who answers and `!model <name>` changes it, `stop` stops an answer.",
        "too_long": "That is more text than {model} can read at once: about {limit} characters fit. "
        "Please shorten it or split it up.",
        "unknown_model": "I know no model called “{name}”. There are: {known}.",
        "model": "{label} answers here ({level} setting). There are: {known}.",
        "model_set": "{label} answers {scope} from now on.",
        "model_set_for_channel": "{who} chose {label} for this channel.",
        "model_refused": "{label} cannot be used here: this channel keeps its words on the team's own models.",
        "model_gone": "The model “{name}” no longer exists, so {label} answers. There are: {known}.",
        "not_allowed": "You may not change this. Any full member of the workspace may change a thread's model and "
        "their own; a channel's needs membership in it.",
        "outsider": "I only answer members of this workspace.",
        "stopped_nothing": "Nothing is being answered here right now.",
        "stopped": "Stopped.",
        "vanished_thread": "I no longer know that conversation. Please ask your question again.",
        "store_down": "I cannot reach my memory right now, so I cannot take this. Please try again in a minute.",
        "busy": "There are more questions than I can take right now. Please try again in a minute.",
        "erased": "Everything of yours that I had stored is gone.",
    }
)


def notice(code: str, facts: Mapping[str, str]) -> str:
    """The sentence for a notice; facts without a place in it are left out, missing ones read as "?"."""
    return _filled(_NOTICES.get(code, _UNKNOWN + "."), facts)


def knows_notice(code: str) -> bool:
    """Whether there is a sentence for `code`."""
    return code in _NOTICES


def apology(code: str, *, model: str = "", limit: int = 0, reference: str = "") -> str:
    """The sentence for a BotError's code, with the reference that an operator could look up."""
    limited = f": about {limit:,} characters fit" if limit else ""
    sentence = _filled(_ERRORS.get(code, _UNKNOWN), {"model": model or "The model", "limit": limited})
    reference = reference if code not in _WITHOUT_REFERENCE else ""
    return f"{sentence} (reference {reference})." if reference else f"{sentence}."


def ending_apology(ending: Ending) -> str:
    """What is shown in place of an answer that never came."""
    code = ending.error_code
    if ending.kind == "refused":
        code = code or "refused"
    elif ending.kind == "stopped":
        return "Stopped before the answer began."
    elif ending.kind == "answered":
        code = code or "empty"
    return apology(code, model=ending.model_label, limit=ending.limit, reference=ending.reference)


def ending_note(ending: Ending, *, stopped_by: str) -> list[str]:
    """What is said under an answer, beside who gave it; parts that begin with "_" are mrkdwn already."""
    said = [text for text in map(_note, ending.notes) if text]
    if ending.kind == "stopped":
        said.insert(0, f"_Stopped by {_name(stopped_by)}_" if stopped_by else "_Stopped_")
    elif ending.kind in ("cut", "failed"):
        why = apology(ending.error_code or "stream_broken", model=ending.model_label, reference=ending.reference)
        said.insert(0, f"⚠️ Cut off. {why}")
    elif ending.kind == "refused":
        said.insert(0, ending_apology(ending))
    return said


def _note(note: str) -> str:
    kind, _, detail = note.partition(":")
    sentences = {
        "history_cut": "the oldest messages of this thread were left out",
        "stood_in": f"{detail} could not answer, so this model stood in",
        "length": "the answer reached its length limit",
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
