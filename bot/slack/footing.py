"""How an answer ended in, the blocks that stand under it out; whoever stopped it is named."""

import logging
from collections.abc import Awaitable, Callable

from bot.conversation.ports import Ending
from bot.conversation.turn import Turn, turn_id
from bot.errors import SlackError
from bot.slack.blocks import Block, under_answer

_log = logging.getLogger(__name__)
NameOf = Callable[[str, str], Awaitable[str]]  # team_id, user_id -> what to call them


async def footing(turn: Turn, ending: Ending, name_of: NameOf, *, text: bool) -> list[Block]:
    """The blocks under the last message; `text` is whether there is an answer above them."""
    stopped_by = ""
    if ending.kind == "stopped" and ending.user_id:
        try:
            stopped_by = await name_of(turn.team_id, ending.user_id)
        except SlackError:
            _log.info("a name could not be looked up", extra={"turn": turn.id})
    question_id = turn_id(turn.thread.channel_id, turn.question_ts)
    return under_answer(ending, thread=turn.thread, question_id=question_id, stopped_by=stopped_by, text=text)
