"""A run's history in, its scoreboard out: what was lost, doubled, out of order, stale or stuck, and when it healed.

Every count is of things that are certain from the record: where the record leaves a doubt, the bot has its benefit.
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.history import JSON, History, Question, Said, Thread

LAST_WORDS_S = 0.5  # what a process had sent when it was lost may arrive so much later
ACCEPT_S = 1.5  # an acceptance that has begun is over after so long, one way or the other
FINAL = frozenset({"answered", "refused", "stopped", "failed", "dead"})


@dataclass(slots=True)
class Scoreboard:
    """The counts. `faults` says each in words; it is empty exactly if all counts that must be zero are."""

    asked: int = 0
    undelivered: int = 0
    answered: int = 0
    cut: int = 0
    apologies: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def blame(self, kind: str, what: str) -> None:
        """Count one fault."""
        self.counts[kind] += 1
        self.faults.append(f"{kind}: {what}")

    def recovery(self, share: float) -> float:
        """The recovery time within which this share of the interrupted turns went on, in seconds."""
        ordered = sorted(self.recoveries)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0

    def is_clean(self, *, recovery_s: float) -> bool:
        """Whether nothing that must not happen has happened, and recovery was quick enough."""
        return not self.faults and self.recovery(0.95) <= recovery_s


KINDS = ("lost", "doubled", "out of order", "stale", "text lost", "stuck", "bad exit")


def check(history: History) -> Scoreboard:
    """Judge a run."""
    board = Scoreboard(asked=len(history.questions))
    said: dict[str, list[Said]] = defaultdict(list)
    for each in history.said:
        said[each.token].append(each)
    owners = {question.token: question for question in history.questions}
    for question in history.questions:
        if question.acked_at is None:
            board.undelivered += 1
        else:
            _judge_outcome(board, history, question, said[question.token])
    _judge_orphans(board, history, owners)
    _judge_order(board, history, said)
    _judge_shrinking(board, history)
    _judge_recovery(board, history, said)
    for turn_id, times in Counter(history.closed).items():
        if times > 1:
            board.blame("stale", f"{turn_id} was closed {times} times")
    for thread in history.busy:
        board.blame("stuck", f"{thread} still shows that somebody is at work")
    for code in history.exits:
        if code != 0:
            board.blame("bad exit", f"a process that was asked to end ended with {code}")
    return board


def text_of(message: JSON) -> str:
    """The Markdown that people read in a message."""
    return "".join(block["text"] for block in message.get("blocks", ()) if block["type"] == "markdown")


def mark_of(message: JSON) -> tuple[str, int] | None:
    """The turn and part that a message is marked as, if it is."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != "tandem_turn":
        return None
    payload = metadata["event_payload"]
    return str(payload["turn"]), int(payload["part"])


def _judge_outcome(board: Scoreboard, history: History, question: Question, said: Sequence[Said]) -> None:
    """The question's one visible outcome: a whole answer, a cut one that says so, or an apology.

    Where the last attempt breaks off sooner than one before it, the longer text stays though the mirror has the other.
    """
    stored = history.turns.get(question.turn_id)
    shown = _shown(history, question)
    if stored is None or stored.state not in FINAL or not shown:
        board.blame("lost", f"{question.token} ({stored.state if stored else 'no turn'}), {len(shown)} messages")
        return
    for part, times in Counter(mark_of(message) for message in shown).items():
        if times > 1:
            board.blame("doubled", f"{question.token}: {times} messages are {part}")
            return
    text = "".join(map(text_of, shown)).strip()
    is_whole = any(text == each.text for each in said if each.whole)
    is_cut = _offers_again(shown[-1]) and any(each.text.startswith(text) for each in said)
    if stored.answer and text != stored.answer.strip() and not (is_cut and stored.state == "failed"):
        board.blame("stale", f"{question.token} shows {text[:60]!r}, its last writer said {stored.answer[:60]!r}")
    elif is_whole and stored.answer:
        board.answered += 1
    elif is_cut and text:
        board.cut += 1
    elif not stored.answer and _offers_again(shown[-1]) and not text.startswith(question.token):
        board.apologies += 1
    else:
        board.blame("text lost", f"{question.token} shows {text[:60]!r}, which is no whole answer")


def _shown(history: History, question: Question) -> list[JSON]:
    """The messages that answer it: marked as its own, or unmarked and beginning with its token."""

    def answers(message: JSON) -> bool:
        mark = mark_of(message)
        return mark[0] == question.turn_id if mark else text_of(message).startswith(f"{question.token} ")

    return [message for message in history.messages.get(question.thread, ()) if answers(message)]


def _offers_again(message: JSON) -> bool:
    blocks = [block for block in message.get("blocks", ()) if block["type"] == "actions"]
    return any(element.get("action_id") == "ask_again" for block in blocks for element in block["elements"])


def _judge_orphans(board: Scoreboard, history: History, owners: dict[str, Question]) -> None:
    """A message of the bot that answers none of its thread's questions."""
    for thread, messages in history.messages.items():
        own = {question.turn_id for question in owners.values() if question.thread == thread}
        for message in messages:
            mark, text = mark_of(message), text_of(message)
            token = text.partition(" ")[0]
            if mark is None and (message.get("metadata") or {}).get("event_type") == "tandem_notice":
                continue
            known = mark[0] in own if mark else token in owners and owners[token].thread == thread
            if not known:
                board.blame("doubled", f"{thread} holds {text[:60]!r}, marked {mark}, which answers nothing there")


def _judge_order(board: Scoreboard, history: History, said: dict[str, list[Said]]) -> None:
    """A turn is out of order when it starts while an older one already accepted in its thread waits.

    When a turn was leased is not in the record; it was surely after its own acceptance and after whatever was
    answered before it in its thread had its last update.
    """
    begun = {token: min(each.at for each in answers) for token, answers in said.items() if answers}
    written = _writes(history)
    for questions in _by_thread(history.questions).values():
        for younger in (each for each in questions if each.token in begun and each.turn_id in history.turns):
            start = begun[younger.token]
            earlier = [_last_before(written[other.turn_id], start) for other in questions if other is not younger]
            surely_after = max([history.turns[younger.turn_id].accepted_at, *earlier])
            for older in questions:
                waits = older.ts < younger.ts and begun.get(older.token, 0.0) > start
                if waits and _accepted_by(history, older) < surely_after:
                    board.blame("out of order", f"{younger.token} began before {older.token}, which waited")


def _accepted_by(history: History, question: Question) -> float:
    """When its turn surely was in the store. An event may also be acknowledged, and its turn accepted later."""
    stored = history.turns.get(question.turn_id)
    if stored is None or question.acked_at is None:
        return math.inf
    return question.acked_at if question.acked_at >= stored.accepted_at else stored.accepted_at + ACCEPT_S


def _by_thread(questions: Iterable[Question]) -> dict[Thread, list[Question]]:
    threads: dict[Thread, list[Question]] = defaultdict(list)
    for question in questions:
        threads[question.thread].append(question)
    return threads


def _writes(history: History) -> dict[str, list[float]]:
    """When each turn's messages were written to, in order."""
    turn_of = {
        (question.thread[0], str(message["ts"])): question.turn_id
        for question in history.questions
        for message in _shown(history, question)
    }
    times: dict[str, list[float]] = defaultdict(list)
    for call in history.calls:
        turn_id = turn_of.get((str(call["args"].get("channel")), str(call["args"].get("ts"))))
        if turn_id and call["ok"]:
            times[turn_id].append(float(call["at"]))
    return times


def _last_before(times: Sequence[float], at: float) -> float:
    index = bisect_left(times, at)
    return times[index - 1] if index else 0.0


def _judge_shrinking(board: Scoreboard, history: History) -> None:
    """Text that people have read must not vanish before a whole answer stands in its place."""
    whole = {each.text for each in history.said if each.whole}
    least: dict[tuple[str, str], int] = {}
    for call in history.calls:
        key = (str(call["args"].get("channel")), str(call["args"].get("ts")))
        if not call["ok"] or call["method"] not in ("chat.update", "chat.appendStream"):
            continue
        if call["method"] == "chat.appendStream":
            least[key] = least.get(key, 0) + sum(
                len(chunk.get("text", "")) for chunk in call["args"].get("chunks") or ()
            )
            continue
        text = text_of(call["args"]).strip()
        if len(text) < least.get(key, 0) and text not in whole:
            board.blame("text lost", f"{key} showed {least[key]} characters and then {len(text)}: {text[:60]!r}")
        least[key] = len(text)


def _judge_recovery(board: Scoreboard, history: History, said: dict[str, list[Said]]) -> None:
    """From a process's loss until somebody else works on what it ran: asks the model, or writes to the reply.

    Time without a store does not count.
    """
    by_id = {question.turn_id: question for question in history.questions}
    written = _writes(history)
    for loss in history.losses:
        for question in (by_id[turn_id] for turn_id in loss.turns if turn_id in by_id):
            signs = [each.at for each in said[question.token]] + written[question.turn_id]
            after = [at for at in signs if at > loss.at + LAST_WORDS_S]
            if after:
                board.recoveries.append(min(after) - loss.at - _without_store(history, loss.at, min(after)))
            elif (stored := history.turns.get(question.turn_id)) is None or stored.state not in FINAL:
                board.recoveries.append(math.inf)  # a turn that is over lacked no more than its closing


def _without_store(history: History, since: float, until: float) -> float:
    """How many of these seconds there was no store."""
    return sum(max(0.0, min(end, until) - max(start, since)) for start, end in history.outages)
