"""TANDEM_SLACK_LIMITS in, calls a minute by method out: Slack's documented numbers, an operator's own, or none."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from bot.errors import ConfigError
from bot.slack.limits import DOCUMENTED


def read_limits(setting: str) -> Mapping[str, float] | None:
    """`documented`, `off` (None), or a TOML file of lines such as `"chat.update" = 25`; others stay as documented.

    Raises ConfigError with what is wrong in which file.
    """
    if setting == "documented":
        return DOCUMENTED
    if setting == "off":
        return None
    try:
        own = tomllib.loads(Path(setting).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"TANDEM_SLACK_LIMITS names {setting}, which cannot be read: {error}."]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"TANDEM_SLACK_LIMITS: {setting} is not TOML: {error}."]) from error
    problems = [
        f"TANDEM_SLACK_LIMITS: {setting}: {method!r} is {value!r}, but should be calls a minute, above 0."
        for method, value in own.items()
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0
    ]
    problems += [
        f"TANDEM_SLACK_LIMITS: {setting}: {method!r} is no method that Tandem calls; known are {', '.join(DOCUMENTED)}."
        for method in own.keys() - DOCUMENTED.keys()
    ]
    if problems:
        raise ConfigError(problems)
    return {**DOCUMENTED, **own}
