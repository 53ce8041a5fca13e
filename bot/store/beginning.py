"""A turn that waits, or that a dead owner left, in; the same turn begun under a new fence out."""

from dataclasses import replace

from bot.conversation.turn import Turn


def begun(turn: Turn, fence: int) -> Turn:
    """One attempt more. What may have been shown (`opening`, `delivering`) stays said."""
    state = "running" if turn.state == "waiting" else turn.state
    return replace(turn, state=state, attempts=turn.attempts + 1, fence=fence)
