"""A seed in, all chance of a run out: who asks what and when, and what breaks when."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Breakage = Literal["kill", "freeze", "rolling restart", "store outage", "mute socket"]

PLACES = (
    ("U0ADA", "D0ADA"),
    ("U0BEN", "D0BEN"),
    ("U0ADA", "C0GENERAL"),
    ("U0BEN", "C0GENERAL"),
    ("U0ADA", "C0PRIVATE"),
)
QUIET_S = 10.0  # at the beginning, before anything breaks
LAST_S = 20.0  # at the end, so that what breaks last still meets questions
HASTE = 0.4  # so many follow-ups come while an earlier question is still being answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question of a thread, `after_s` after the one before it (the first: after the start)."""

    token: str
    after_s: float
    mentions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedThread:
    """Whose thread it is, where, and what is asked in it."""

    user: str
    channel: str
    asks: Sequence[Ask]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `breakages` come one after another, each not before its time, in seconds from the start."""

    seed: int
    duration_s: float
    threads: Sequence[PlannedThread]
    breakages: Sequence[tuple[float, Breakage]]

    @property
    def questions(self) -> int:
        """How many are asked."""
        return sum(len(thread.asks) for thread in self.threads)


def make_plan(seed: int, *, questions: int, threads: int, duration_s: float, kills: int, freezes: int) -> Plan:
    """The same plan for the same numbers."""
    chance = random.Random(f"plan {seed}")
    shares = [questions // threads + (number < questions % threads) for number in range(threads)]
    numbers = iter(range(questions))
    planned = [_thread(chance, [f"q{next(numbers)}" for _ in range(share)], duration_s) for share in shares]
    kinds: list[Breakage] = ["rolling restart", "store outage", "mute socket"]
    kinds.extend("kill" for _ in range(kills))
    kinds.extend("freeze" for _ in range(freezes))
    chance.shuffle(kinds)
    step_s = (duration_s - QUIET_S - LAST_S) / len(kinds)
    times = [QUIET_S + step_s * (number + chance.uniform(0, 0.5)) for number in range(len(kinds))]
    breakages = list(zip(times, kinds, strict=True))
    return Plan(seed=seed, duration_s=duration_s, threads=planned, breakages=breakages)


def _thread(chance: random.Random, tokens: Sequence[str], duration_s: float) -> PlannedThread:
    user, channel = chance.choice(PLACES)
    long_s = min(40.0, max(5.0, duration_s / len(tokens)))
    gaps = [chance.uniform(0.2, 2.0) if chance.random() < HASTE else chance.uniform(3, long_s) for _ in tokens[1:]]
    gaps = [chance.uniform(0, max(0.0, duration_s - sum(gaps))), *gaps]
    asks = [
        Ask(token=token, after_s=gap_s, mentions=number == 0 or chance.random() < 0.5)
        for number, (token, gap_s) in enumerate(zip(tokens, gaps, strict=True))
    ]
    return PlannedThread(user=user, channel=channel, asks=asks)
