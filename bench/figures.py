"""What was measured in, each promise and whether it is kept out."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.doubles.workspace import JSON

FLOOR, BARE, SQLITE, FIRESTORE, GEMINI = "floor on bolt", "floor on aiohttp", "tandem", "tandem on firestore", "gemini"
GEMINI_FLOOR = "floor on bolt with gemini"


@dataclass(frozen=True, slots=True)
class Figure:
    """One promise: `value` shall be at most (or at least) `bound`; None where it was not measured."""

    name: str
    value: float | None
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def kept(self) -> bool | None:
        """None where there is nothing to say."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def figures(measured: JSON) -> list[Figure]:
    """All promises of docs/performance.md about turns, in its order."""
    even = {(row["subject"], row["threads"]): row for row in measured.get("even", ())}
    return [*_latency(even), *_ratios(even), *_standing(measured), *_threads(measured), *_store(measured)]


def _latency(even: dict[tuple[str, int], JSON]) -> Iterator[Figure]:
    own, fire, floor = even.get((SQLITE, 1)), even.get((FIRESTORE, 1)), even.get((FLOOR, 1))
    yield Figure("accept to ack, 1 thread", _at(own, "ack_ms"), 10, "ms")
    yield Figure("the same on Firestore's emulator", _at(fire, "ack_ms"), 25, "ms")
    sign, least = _at(own, "sign_ms"), _at(floor, "sign_ms")
    beyond = round(sign - least, 1) if sign is not None and least is not None else None
    yield Figure("event to first visible sign, 1 thread, beyond the floor", beyond, 10, "ms")
    yield Figure("event to the model's request, 1 thread", _at(own, "request_ms"), 15, "ms")
    yield Figure("the same on Firestore's emulator", _at(fire, "request_ms"), 40, "ms")


def _ratios(even: dict[tuple[str, int], JSON]) -> Iterator[Figure]:
    def ratio(figure: str, threads: int, share: str = "", subject: str = SQLITE) -> float | None:
        own, floor = _at(even.get((subject, threads)), figure, share), _at(even.get((FLOOR, threads)), figure, share)
        return round(own / floor, 2) if own is not None and floor else None

    yield Figure("first text beyond the model's time, 1 thread", ratio("first_ms", 1, "p50"), 1.5, "×")
    yield Figure("the same, 95th percentile, 50 threads", ratio("first_ms", 50, "p95"), 2, "×")
    yield Figure("the same, 95th percentile, 200 threads", ratio("first_ms", 200, "p95"), 2.5, "×")
    yield Figure("final text beyond the model's time, 1 thread", ratio("final_ms", 1, "p50"), 1.5, "×")
    yield Figure("the same, 95th percentile, 200 threads", ratio("final_ms", 200, "p95"), 2.5, "×")
    yield Figure("turns a second, 50 threads", ratio("turns_per_s", 50), 0.95, "×", at_least=True)
    yield Figure("turns a second, 200 threads", ratio("turns_per_s", 200), 0.95, "×", at_least=True)
    wrong = [name for (subject, _), row in even.items() if subject != FLOOR for name in row["wrong"]]
    yield Figure("answers that are not exact", len(wrong) if even else None, 0)
    yield Figure("processor time a turn, 50 threads", ratio("cpu_ms", 50), 2, "×")
    yield Figure("processor time a turn, 200 threads", ratio("cpu_ms", 200), 1.6, "×")
    yield Figure("the same on Firestore's emulator, 50 threads", ratio("cpu_ms", 50, subject=FIRESTORE), 3, "×")


def _standing(measured: JSON) -> Iterator[Figure]:
    even = {(row["subject"], row["threads"]): row for row in measured.get("even", ())}
    start, many, passing = measured.get("start"), measured.get("many"), measured.get("passing")
    at_200 = _at(even.get((SQLITE, 200)), "memory_mib")
    busy = round(at_200) if at_200 else None  # whole MiB: what the allocator keeps differs by tenths from run to run
    yield Figure("memory, idle", start and round(start["idle_mib"]), 110, "MiB")
    yield Figure("memory, 200 threads", busy, 160, "MiB")
    if many:
        yield Figure(f"memory after {many['threads']:,} threads", round(many["after_mib"]), busy or 160, "MiB")
    yield Figure("start to ready", start and start["ready_s"], 1.5, "s")
    if passing:
        cost = max(passing["root_cpu_ms"], passing["reply_cpu_ms"])
        yield Figure("processor time for a message that is not for the bot", cost, 1, "ms")


def _threads(measured: JSON) -> Iterator[Figure]:
    lengths = {row["messages"]: row for row in measured.get("lengths", ())}
    for messages, bound in ((500, 2), (5000, 3)):
        short, long = _at(lengths.get(10), "request_ms"), _at(lengths.get(messages), "request_ms")
        ratio = round(long / short, 2) if long and short else None
        yield Figure(f"event to the model's request, thread of {messages:,} against 10", ratio, bound, "×")
    if lengths:
        yield Figure("Slack history calls there", sum(row["history_calls"] for row in lengths.values()), 0)
    if known := measured.get("prefix"):
        least = round(min(known["known"]) * 100, 1)
        yield Figure("a long thread's earlier prompt known to llama.cpp", least, 95, "%", at_least=True)


def _store(measured: JSON) -> Iterator[Figure]:
    if work := measured.get("store"):
        turn = work["per_turn"]
        yield Figure("Firestore: commits a warm turn", turn["commits"], 5)
        yield Figure("Firestore: documents written", turn["documents written"], 14)
        yield Figure("Firestore: round trips for reading", turn["round trips for reading"], 3)


def _at(row: JSON | None, figure: str, share: str = "p50") -> float | None:
    value = row[figure] if row else None
    return value[share or "p50"] if isinstance(value, dict) else value
