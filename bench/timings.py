"""What Slack, the model and the driver saw in, how long each step of each turn took out; all by one clock."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.loop import Run
from tests.doubles.workspace import JSON

TEXT = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage", "chat.update")


@dataclass(frozen=True, slots=True)
class Timing:
    """One turn, in milliseconds from the moment in which Slack sent its event."""

    final_at: float
    """When its last text was there, in seconds since the epoch."""
    ack_ms: float
    sign_ms: float
    """Until people saw anything at all."""
    request_ms: float
    """Until the model was asked."""
    first_ms: float
    """Until the first text, without the time that the model took for it."""
    final_ms: float
    """Until the last text, without the time that the model took for all of it."""
    calls: int


def timings(run: Run, deliveries: Sequence[JSON], calls: Sequence[JSON], log: Sequence[JSON]) -> list[Timing]:
    """Every turn with an exact answer; one channel's turns come one after another."""
    sent = {(d["payload"]["event"].get("channel"), d["payload"]["event"].get("ts")): d for d in _questions(deliveries)}
    models = {asked["question"]: asked for asked in log}
    by_channel: dict[str, list[JSON]] = defaultdict(list)
    for call in calls:
        by_channel[call["args"].get("channel") or call["args"].get("channel_id") or ""].append(call)
    ends = _ends(run)
    found = []
    for asked in run.asked:
        if asked.exact and (delivery := sent.get((asked.channel, asked.ts))) is not None:
            begin, end = delivery["at"], ends[asked.channel, asked.ts]
            own = [call for call in by_channel[asked.channel] if begin <= call["at"] < end]
            found.append(_timing(delivery, own, models[asked.name]))
    return found


def _questions(deliveries: Sequence[JSON]) -> Iterator[JSON]:
    for delivery in deliveries:
        if delivery["kind"] == "events_api" and delivery["payload"]["event"]["type"] in ("message", "app_mention"):
            yield delivery


def _ends(run: Run) -> dict[tuple[str, str], float]:
    """By when a question's calls are over: when the next one is asked in its channel."""
    in_order = sorted(run.asked, key=lambda asked: (asked.channel, asked.ts))
    ends = {}
    for asked, following in zip(in_order, [*in_order[1:], None], strict=True):
        same = following is not None and following.channel == asked.channel
        ends[asked.channel, asked.ts] = float(following.ts) if following and same else float("inf")
    return ends


def _timing(delivery: JSON, calls: Sequence[JSON], model: JSON) -> Timing:
    begin = delivery["at"]
    texts = [call["at"] for call in calls if call["method"] in TEXT]

    def since(at: float, spent: float = 0.0) -> float:
        return float(at - begin - spent) * 1000

    return Timing(
        final_at=max(texts),
        ack_ms=delivery["attempts"][0]["duration_ms"],
        sign_ms=since(min(call["at"] for call in calls)),
        request_ms=since(model["arrived"]),
        first_ms=since(min(texts), model["first"] - model["arrived"]),
        final_ms=since(max(texts), model["last"] - model["arrived"]),
        calls=len(calls),
    )
