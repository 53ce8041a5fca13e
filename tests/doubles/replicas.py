"""Several processes' worth of mirrors on one database, and the questions and answers that tests put into it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.conversation.mirror import Taken, TurnStore
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn, turn_id
from bot.store import Mirror, open_mirror

KEY = ThreadKey("C0GENERAL", "1700000000.000100")
LEASE_S = 10.0


def ts(seconds: int) -> str:
    """The ts of something said so many seconds after the thread began."""
    return f"{1_700_000_000 + seconds}.000100"


def asked(
    seconds: int = 0,
    *,
    text: str = "Why is the sky blue?",
    user_id: str = "U0ANN",
    key: ThreadKey = KEY,
    retry: int = 0,
) -> tuple[Turn, Message]:
    """A question, and the turn that it is."""
    said_at = ts(seconds)
    turn = Turn(
        turn_id(key.channel_id, said_at, retry),
        thread=key,
        question_ts=said_at,
        team_id="T0ACME",
        asker_id=user_id,
        asker_team_id="T0ACME",
        place="channel",
        asked_at=1_700_000_000.0 + seconds,
    )
    return turn, Message(key, said_at, "user", text, user_id=user_id, turn_id=turn.id)


def said(seconds: int, text: str = "By the way", *, user_id: str = "U0BOB", key: ThreadKey = KEY) -> Message:
    """A message that asks nothing."""
    return Message(key, ts(seconds), "user", text, user_id=user_id)


def answered(turn: Turn, at: str, text: str = "Because of scattering.") -> Message:
    """The answer to a turn."""
    return Message(turn.thread, at, "model", text, turn_id=turn.id, question_ts=turn.question_ts, model_id="gemma")


async def take(turns: TurnStore, *, key: ThreadKey = KEY, owner: str = "a", lease_s: float = LEASE_S) -> Taken:
    """Take what there is to take."""
    taken = await turns.take(key, owner, lease_s)
    assert isinstance(taken, Taken), taken
    return taken


async def finish(turns: TurnStore, taken: Taken, at: str, text: str = "Because of scattering.") -> None:
    """Answer a taken turn and give its thread up."""
    turn = replace(taken.turn, state="answered")
    await turns.save(taken.lease, turn, answer=answered(turn, at, text), release=True)


@dataclass(slots=True)
class Replicas:
    """Opens one database as often as a test likes."""

    address: str
    emulator_host: str = ""
    opened: list[Mirror] = field(default_factory=list)

    async def open(
        self, *, retention_days: int = 90, now: Callable[[], float] = time.time, through: str = ""
    ) -> Mirror:
        """One more process's mirror; `through` is a proxy's address."""
        host = through or self.emulator_host
        mirror = await open_mirror(self.address, retention_days=retention_days, emulator_host=host, now=now)
        self.opened.append(mirror)
        return mirror

    async def close(self) -> None:
        """Close all."""
        for mirror in self.opened:
            await mirror.close()


async def revision(mirror: Mirror, key: ThreadKey = KEY) -> int:
    """The thread's revision."""
    thread = await mirror.threads.thread(key)
    assert thread is not None
    return thread.revision
