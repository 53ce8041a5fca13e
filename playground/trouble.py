"""Switches in, misbehaviour out: what a Slack on a bad day does, and how long its clocks run."""

import asyncio
import math
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin

from playground.errors import SlackError

JSON = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long Slack waits for what, in seconds; tests compress it."""

    stream_life_s: float = 300.0
    status_life_s: float = 120.0
    processing_life_s: float = 3600.0
    trigger_life_s: float = 3.0
    response_url_life_s: float = 1800.0
    ticket_life_s: float = 30.0
    ack_s: float = 3.0
    retry_delays_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    connection_life_s: float = 18_060.0
    disconnect_warning_s: float = 10.0
    verify_s: float = 1.0
    """How often an app behind HTTP is asked whether it is there; the playground's own, Slack asks once."""


@dataclass(slots=True, kw_only=True)
class Failure:
    """Calls of `method` (`*` for all) fail this way, for `times` calls, after letting `after` calls pass.

    With a `share` below 1, only so many of the calls whose turn it is fail, by chance.
    """

    method: str = "*"
    kind: Literal["status", "error", "drop", "hang"] = "status"
    status: int = 503
    error: str = "internal_error"
    retry_after: int | None = None
    effect: bool = False
    """Whether the call does its work before it fails."""
    times: int = 1
    after: int = 0
    share: float = 1.0

    def strikes(self, method: str, chance: random.Random) -> bool:
        """Whether this call fails; counts it."""
        if self.times <= 0 or self.method not in ("*", method):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.share < 1 and chance.random() >= self.share:
            return False
        self.times -= 1
        return True


@dataclass(slots=True, kw_only=True)
class EventTrouble:
    """What happens to event deliveries. Shares are between 0 and 1."""

    duplicate: float = 0.0
    lose: float = 0.0
    """The first attempt is lost on the way; Slack's redelivery follows."""
    delay_s: float = 0.0
    """At most this late, at random: so events also overtake each other."""
    reorder: float = 0.0
    """An event waits until a later one has set out, or for `reorder_s`."""
    reorder_s: float = 1.0


@dataclass(slots=True, kw_only=True)
class SocketTrouble:
    """What happens to Socket Mode connections."""

    silent: bool = False
    """Frames are swallowed in both directions, pings included, while the connection stays open."""
    refuse: bool = False
    """The handshake of new connections fails."""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Everything that can be switched on by the control API."""

    rate_limits: Literal["off", "documented"] = "off"
    scale: dict[str, float] = field(default_factory=dict)
    """Factor per tier ("2", "3", "4", "post", "*") on what its rate limit allows."""
    latency_ms: dict[str, float] = field(default_factory=dict)
    """Per method, or `*`."""
    failures: list[Failure] = field(default_factory=list)
    events: EventTrouble = field(default_factory=EventTrouble)
    sockets: SocketTrouble = field(default_factory=SocketTrouble)
    seed: int | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - chance, not secrets

    chance: random.Random = field(init=False, repr=False, compare=False)

    async def delay(self, method: str) -> None:
        """Wait as long as calls of this method are told to take."""
        latency_ms = self.latency_ms.get(method, self.latency_ms.get("*", 0.0))
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)

    def failure(self, method: str) -> Failure | None:
        """How this call fails, if it does."""
        return next((failure for failure in self.failures if failure.strikes(method, self.chance)), None)

    def as_json(self) -> JSON:
        """All switches as they are now."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name != "chance"}


def defaults() -> JSON:
    """Settings that end all trouble."""
    calm, timing = Trouble().as_json(), asdict(Timing())
    calm["fail"] = calm.pop("failures")
    return {**calm, "timing": timing}


def set_trouble(trouble: Trouble, timing: Timing, settings: JSON) -> None:
    """Apply the control API's settings; names that are not given stay as they are.

    `timing` is a mapping of the Timing fields, `fail` a list of failures that replaces the present one.
    Raises SlackError invalid_arguments that names what is unknown.
    """
    if not isinstance(settings, dict):
        raise SlackError("invalid_arguments", message="trouble is an object of settings")
    for name, value in settings.items():
        if name == "timing":
            _assign(timing, value, name)
        elif name in ("events", "sockets"):
            _assign(getattr(trouble, name), value, name)
        elif name == "fail" and isinstance(value, list):
            trouble.failures = [_failure(entry) for entry in value]
        elif name == "seed" and (value is None or isinstance(value, int)):
            trouble.seed = value
            trouble.chance.seed(value)
        elif name == "rate_limits" and value in ("off", "documented"):
            trouble.rate_limits = value
        elif name == "scale" and _fits(float, value) and value > 0:
            trouble.scale = {"*": value}
        elif name == "scale" and _are_numbers(value) and all(value.values()):
            trouble.scale = value
        elif name == "latency_ms" and _are_numbers(value):
            trouble.latency_ms = value
        else:
            raise SlackError("invalid_arguments", message=f"no such trouble: {name}={value!r}")


def _failure(entry: JSON) -> Failure:
    failure = Failure()
    _assign(failure, entry, "fail")
    return failure


def _assign(target: Any, values: Any, where: str) -> None:
    """Set fields by name: all of them, or none when one is unknown or of another kind."""
    kinds = {f.name: f.type for f in fields(target)}
    if not isinstance(values, Mapping) or set(values) - set(kinds):
        raise SlackError("invalid_arguments", message=f"{where} takes {', '.join(sorted(kinds))}")
    wrong = [f"{name}={value!r}" for name, value in values.items() if not _fits(kinds[name], value)]
    if wrong:
        raise SlackError("invalid_arguments", message=f"{where}: {', '.join(wrong)}")
    for name, value in values.items():
        setattr(target, name, tuple(value) if isinstance(value, list) else value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(_fits(float, number) for number in value.values())


def _fits(kind: Any, value: Any) -> bool:
    """Whether a JSON value is of a field's kind; numbers are seconds, shares or counts, so none is negative."""
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(_fits(float, item) for item in value)
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    if kind in (int, int | None):
        return (value is None and kind is not int) or (type(value) is int and value >= 0)
    return isinstance(value, kind)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [asdict(item) for item in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
