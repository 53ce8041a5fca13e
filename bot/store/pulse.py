"""What the last pulse left in, what this one leaves out: when somebody listened last, and the outages of a day."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.conversation.mirror import Outage
from bot.store.documents import Document
from bot.store.lifetimes import DAY_S

_MOST = 50  # older ones are dropped first


def beaten(before: Mapping[str, Any] | None, now: float, missed: Sequence[Outage], silent_s: float) -> Document:
    """The document after a pulse at `now`, by the store's clock."""
    outages = [*outages_of(before or {}), *missed]
    if before and now - before["at"] > silent_s:
        outages.append(Outage(before["at"], now))
    kept = [outage for outage in _merged(outages) if outage.until > now - DAY_S][-_MOST:]
    return {"at": now, "outages": [{"since": outage.since, "until": outage.until} for outage in kept]}


def outages_of(document: Mapping[str, Any]) -> list[Outage]:
    """The outages of a document."""
    return [Outage(each["since"], each["until"]) for each in document.get("outages", ())]


def _merged(outages: Iterable[Outage]) -> list[Outage]:
    """Those that overlap are one."""
    merged: list[Outage] = []
    for outage in sorted(outages, key=lambda each: each.since):
        if merged and outage.since <= merged[-1].until:
            outage = Outage(merged[-1].since, max(merged[-1].until, outage.until))
            merged.pop()
        merged.append(outage)
    return merged
