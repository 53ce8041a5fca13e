"""A Prompt in, chat messages out, for servers that render the template themselves (Gemma 4, and images)."""

from bot.conversation.models import Prompt
from bot.llm.templates.neutral import neutral

ROLES = {"user": "user", "model": "assistant"}


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """A system message, if there is a system text, and one message per turn, all neutral: templates insert them raw."""
    head = [{"role": "system", "content": neutral(prompt.system)}] if prompt.system else []
    return head + [{"role": ROLES[turn.role], "content": neutral(turn.text).strip()} for turn in prompt.turns]
