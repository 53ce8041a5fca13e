"""A Prompt in, Gemma 3's prompt string out: byte for byte what its official chat template renders after `<bos>`.

Without `<bos>`, because servers add it to a text prompt themselves and a second one harms the answer.
"""

from bot.conversation.models import Prompt
from bot.llm.templates.neutral import neutral


def render(prompt: Prompt) -> str:
    """The turns in Gemma's control tokens, the system text at the head of the first, the model's turn left open."""
    head = neutral(prompt.system) + "\n\n" if prompt.system else ""
    parts = []
    for turn in prompt.turns:
        parts.append(f"<start_of_turn>{turn.role}\n{head}{neutral(turn.text).strip()}<end_of_turn>\n")
        head = ""
    return "".join(parts) + "<start_of_turn>model\n"
