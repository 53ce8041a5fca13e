"""Facts in, Block Kit out: every block that Tandem shows under or beside an answer."""

from collections.abc import Sequence
from typing import Any

from bot.conversation.ports import Ending, ModelChoice
from bot.conversation.thread import ThreadKey
from bot.slack.apologies import ending_note
from bot.slack.limits import (
    BLOCK_ID_CHARS,
    OPTION_TEXT_CHARS,
    OPTION_VALUE_CHARS,
    SECTION_CHARS,
    SELECT_OPTIONS,
)

Block = dict[str, Any]
MODEL_MENU = "model_menu"  # action_id; the value is a model's id, the block_id carries the thread
ASK_AGAIN = "ask_again"  # action_id; the value is the question's turn id and the number of the retry
_ANSWER_BLOCK = "answer"


def escaped(text: str) -> str:
    """`text` as Slack shows it literally in mrkdwn."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown(text: str) -> Block:
    """Standard Markdown, which Slack renders itself."""
    return {"type": "markdown", "text": text}


def plain(text: str) -> list[Block]:
    """Text as it is, unrendered: for where Slack refuses markdown blocks."""
    cuts = range(0, len(text), SECTION_CHARS)
    return [
        {"type": "section", "text": {"type": "plain_text", "text": text[at : at + SECTION_CHARS], "emoji": False}}
        for at in cuts
    ]


def context(mrkdwn: str) -> Block:
    """A small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn[:SECTION_CHARS]}]}


def button(label: str, *, action_id: str, value: str) -> Block:
    """A button of an actions block."""
    text = {"type": "plain_text", "text": label[:OPTION_TEXT_CHARS]}
    return {"type": "button", "text": text, "action_id": action_id, "value": value}


def model_menu(choices: Sequence[ModelChoice], *, chosen: str) -> Block:
    """A select menu of the models; the chosen one is preselected."""
    options = [_option(choice) for choice in choices[:SELECT_OPTIONS]]
    menu: Block = {
        "type": "static_select",
        "action_id": MODEL_MENU,
        "placeholder": {"type": "plain_text", "text": "Model"},
        "options": options,
    }
    initial = [option for option in options if option["value"] == chosen]
    return menu | {"initial_option": initial[0]} if initial else menu


def _option(choice: ModelChoice) -> Block:
    label = choice.label[:OPTION_TEXT_CHARS] or choice.id[:OPTION_TEXT_CHARS]
    return {"text": {"type": "plain_text", "text": label}, "value": choice.id[:OPTION_VALUE_CHARS]}


def answer_block_id(thread: ThreadKey) -> str:
    """The block_id of the actions under an answer; it names the thread."""
    return f"{_ANSWER_BLOCK}:{thread}"[:BLOCK_ID_CHARS]


def ask_again_value(question_turn_id: str, retry: int) -> str:
    """What the retry button carries."""
    return f"{question_turn_id}:{retry}"


def under_answer(
    ending: Ending, *, thread: ThreadKey, question_id: str, stopped_by: str, text: bool = True
) -> list[Block]:
    """What stands under a reply when it has ended: its footer, then what one may do.

    `question_id` is the id of the question's first turn, `stopped_by` the name of who stopped it, `text` whether any
    of an answer stands above; if not, what stands there says itself how the turn ended.
    """
    line = footer(ending, stopped_by=stopped_by) if text else ""
    elements: list[Block] = []
    if ending.choices:
        elements.append(model_menu(ending.choices, chosen=ending.model_id))
    if ending.retry:
        label = "Try again" if ending.kind == "failed" else "Ask again"
        elements.append(button(label, action_id=ASK_AGAIN, value=ask_again_value(question_id, ending.retry)))
    actions: list[Block] = []
    if elements:
        actions = [{"type": "actions", "block_id": answer_block_id(thread), "elements": elements}]
    return ([context(line)] if line else []) + actions


def footer(ending: Ending, *, stopped_by: str) -> str:
    """`Gemma 3 12B · 2.3 s`, and what else is to be known about the answer, as mrkdwn."""
    facts = []
    if ending.model_label:
        facts.append(escaped(ending.model_label))
    if ending.seconds > 0 and ending.kind in ("answered", "cut", "stopped"):
        facts.append(f"{ending.seconds:.1f} s")
    note = ending_note(ending, stopped_by=stopped_by)
    return " · ".join(facts + [escaped(part) if part[:1] != "_" else part for part in note])
