"""Questions, Slack's calls and the model's log in, how a bot behaved under Slack's limits out."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.loop import Asked
from tests.doubles.workspace import JSON

STATUS = ("agents.sessions.setStatus", "assistant.threads.setStatus")
TOGETHER_S = 0.1  # models that end within it end at once
ON_THE_WAY_S = 0.1  # by then a busy process has read the refusal


@dataclass(slots=True)
class Shown:
    """What Slack took of one turn."""

    left: list[float] = field(default_factory=list)
    """When each call with text left."""
    texts: list[float] = field(default_factory=list)
    """When it was done."""
    cleared: list[float] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)

    @property
    def mode(self) -> str:
        """How it grew before people."""
        if self.methods["chat.startStream"]:
            return "native"
        return "edit" if self.methods["chat.update"] else "final"


def judged(asked: Sequence[Asked], calls: Sequence[JSON], log: Mapping[str, JSON], *, refused_after: float) -> JSON:
    """What of Slack's patience was used, and when the last word of each answer was there."""
    shown = _shown(asked, calls)
    whole = [each for each in asked if each.exact]
    finals = {each.name: max(shown[each.name].texts) for each in whole}
    ended = {each.name: float(log[each.name]["last"]) for each in whole}
    waits = [finals[name] - ended[name] for name in finals]
    cleared = [max(shown[name].cleared, default=finals[name]) - ended[name] for name in finals]
    counting = [call for call in calls if call["at"] >= refused_after]
    refused = [call for call in counting if call["status"] == 429]
    steps = sorted(shown[each.name].methods.total() for each in whole)
    return {
        "wrong": [each.name for each in asked if not each.exact],
        "calls": len(calls),
        "refused": sum(call["status"] == 429 for call in calls),
        "refused_share": round(len(refused) / max(1, len(counting)), 4),
        "refused_methods": Counter(call["method"] for call in calls if call["status"] == 429),
        "impatient": impatient(calls),
        "modes": Counter(shown[each.name].mode for each in whole),
        "writes": {"p50": steps[len(steps) // 2], "most": steps[-1]} if steps else {},
        "final_s": _spread(waits),
        "cleared_s": _spread(cleared),
        "overtaken_by": overtaken_by(ended, {name: max(shown[name].left) for name in finals}),
    }


def impatient(calls: Sequence[JSON]) -> int:
    """How many calls left inside a Retry-After that was known by then; one process is taken to make all calls."""
    forbidden: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for call in calls:
        if call["status"] == 429:
            forbidden[call["method"]].append((call["at"], call["at"] + call["retry_after"]))
    left = 0
    for call in calls:
        began = call["at"] - call["duration_ms"] / 1000
        spans = forbidden.get(call["method"], ())
        left += any(since + ON_THE_WAY_S < began < until - ON_THE_WAY_S for since, until in spans)
    return left


def overtaken_by(ended: Mapping[str, float], left: Mapping[str, float]) -> int:
    """By how many answers whose models ended later the most unlucky one was overtaken."""
    return max(
        (
            sum(ended[other] > ended[name] + TOGETHER_S and left[other] < left[name] for other in ended)
            for name in ended
        ),
        default=0,
    )


def _shown(asked: Sequence[Asked], calls: Sequence[JSON]) -> Mapping[str, Shown]:
    threads = {(each.channel, each.root): each.name for each in asked}
    messages = {(each.channel, part): each.name for each in asked for part in each.parts}
    found: dict[str, Shown] = defaultdict(Shown)
    for call in calls:
        args, method = call["args"], call["method"]
        channel = args.get("channel") or args.get("channel_id")
        name = threads.get((channel, args.get("thread_ts"))) or messages.get((channel, args.get("ts")))
        if name is None or not call["ok"]:
            continue
        turn = found[name]
        if method in STATUS:
            if args.get("status") in ("active", ""):
                turn.cleared.append(call["at"])
        elif method.startswith("chat."):
            turn.methods[method] += 1
            turn.texts.append(call["at"])
            turn.left.append(call["at"] - call["duration_ms"] / 1000)
            if args.get("session_status") == "active":
                turn.cleared.append(call["at"])
    return found


def _spread(values: Sequence[float]) -> JSON:
    ordered = sorted(values) or [float("inf")]
    p95 = ordered[len(ordered) * 95 // 100]
    return {"p50": round(ordered[len(ordered) // 2], 2), "p95": round(p95, 2), "most": round(ordered[-1], 2)}
