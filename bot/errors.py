"""Everything that can go wrong, as one tree.

BotError
├─ ConfigError                  at start only; lists every bad setting at once
├─ SlackError
│  ├─ SlackRateLimited          429: not done; not before `retry_after_s`
│  ├─ SlackUnavailable          timeout, reset, 5xx: nobody knows whether it was done
│  └─ SlackRejected             Slack understood and said no (`code` is Slack's word); not done
├─ ModelError
│  ├─ ModelUnavailable          nothing of the answer came: refused, 5xx, no first token in time; safe to ask again
│  │  └─ ModelOverloaded        the same, and the server says it is busy (`retry_after_s`, if it says when)
│  ├─ ModelMisconfigured        wrong key, address, dialect or model name; asking again is no use
│  ├─ PromptTooLong             the prompt does not fit (`limit_tokens`, if the server says how much does)
│  └─ StreamBroken              cut, stalled or failed after its first token: what came is not the whole answer
└─ StoreError
   ├─ StoreUnavailable          timeout, connection, contention: the outcome of a write is unknown
   ├─ StoreUnusable             cannot be opened, or its schema is neither this version's nor the one before
   └─ LeaseLost                 another process owns the thread now; nothing more may be written for this turn

Adapters translate their vendor's exceptions at the edge (`raise ... from exc`). Retry decisions read the class, never
a text. What people read lives in `slack/apologies.py`; no text of an exception is ever shown to them.
"""

from collections.abc import Sequence


class BotError(Exception):
    """Something that Tandem knows to name. `code` is stable: it labels logs and metrics."""

    code = "bot_error"


class ConfigError(BotError):
    """Settings that cannot work; `problems` holds one sentence each, with what to do."""

    code = "config"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SlackError(BotError):
    """A call to Slack that did not succeed."""

    code = "slack"


class SlackRateLimited(SlackError):
    """HTTP 429 or `ratelimited`: the call was not done and may be repeated after `retry_after_s` seconds."""

    code = "slack_rate_limited"

    def __init__(self, method: str, retry_after_s: float) -> None:
        super().__init__(f"{method} may be called again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class SlackUnavailable(SlackError):
    """Timeout, broken connection or 5xx: the call may or may not have been done."""

    code = "slack_unavailable"


class SlackRejected(SlackError):
    """Slack answered `ok: false`; `slack_code` is its error code. The call was not done."""

    code = "slack_rejected"

    def __init__(self, method: str, slack_code: str, needed: str = "") -> None:
        super().__init__(f"{method}: {slack_code}" + (f" (needs {needed})" if needed else ""))
        self.method = method
        self.slack_code = slack_code
        self.needed = needed


class ModelError(BotError):
    """A model that did not answer, or not wholly."""

    code = "model"


class ModelUnavailable(ModelError):
    """Nothing of the answer came; asking again is safe."""

    code = "model_unavailable"


class ModelOverloaded(ModelUnavailable):
    """The server says that it is busy. `retry_after_s` is None where it does not say for how long."""

    code = "model_overloaded"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ModelMisconfigured(ModelError):
    """Wrong key, address, dialect or model name: an operator must act. The message says what to do, to operators."""

    code = "model_misconfigured"


class PromptTooLong(ModelError):
    """The prompt does not fit the model; `limit_tokens` is None where the server does not say what would."""

    code = "prompt_too_long"

    def __init__(self, message: str, limit_tokens: int | None = None) -> None:
        super().__init__(message)
        self.limit_tokens = limit_tokens


class StreamBroken(ModelError):
    """The answer began and then stopped short: cut, stalled, or an error in mid-stream."""

    code = "stream_broken"


class StoreError(BotError):
    """The store did not do what was asked."""

    code = "store"


class StoreUnavailable(StoreError):
    """Timeout or connection trouble; whether a write was done is unknown."""

    code = "store_unavailable"


class StoreUnusable(StoreError):
    """The store cannot be opened, or holds a schema that this version does not read. At start only."""

    code = "store_unusable"


class LeaseLost(StoreError):
    """Another process has taken the thread over; this one must stop writing, in the store and in Slack."""

    code = "lease_lost"
