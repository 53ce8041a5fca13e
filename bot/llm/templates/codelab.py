"""A Prompt in, the prompt string of the "Gemma on GKE" codelab out, for servers that were set up with it."""

from bot.conversation.models import Prompt
from bot.llm.templates.neutral import neutral_for_codelab

SPEAKERS = {"user": "User's Turn:", "model": "Assistant's Turn:"}
STOP = (SPEAKERS["user"],)  # a model that writes on for the user has finished its own turn


def render(prompt: Prompt) -> str:
    """Plain text turns, the system text before the first question, the assistant's turn left open."""
    head = neutral_for_codelab(prompt.system) + "\n\n" if prompt.system else ""
    parts = []
    for turn in prompt.turns:
        parts.append(f"{SPEAKERS[turn.role]}\n>>> {head}{neutral_for_codelab(turn.text).strip()}\n")
        head = ""
    return "".join(parts) + f"{SPEAKERS['model']}\n>>> "
