"""The environment in, one frozen Settings out: read once, checked together, printed without secrets.

Every setting may also be given as a file: `SLACK_BOT_TOKEN_FILE=/run/secrets/token` for `SLACK_BOT_TOKEN`. `.env` in
the working directory is read too; the environment wins.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from bot.config.settings import Settings, variables
from bot.errors import ConfigError


def load_settings(
    environ: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env"), to_serve: bool = False
) -> Settings:
    """The settings of the environment and `.env`.

    Raises ConfigError with every problem at once: values that cannot be, and with `to_serve` also what `tandem serve`
    needs and does not find.
    """
    values, problems = _collect(os.environ if environ is None else environ, dotenv)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            name = str(detail["loc"][0])
            problems[name] = _sentence(name, values.pop(name, ""), detail["msg"])
        settings = Settings.model_validate(values)
    if to_serve:
        problems = dict(_missing(settings)) | problems
    if problems:
        raise ConfigError([problems[name] for name in _in_order(problems)])
    return settings


def setting_files(environ: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env")) -> dict[str, Path]:
    """The files that settings are read from, by variable; for those that may change while the bot runs."""
    given = {**_dotenv(dotenv), **(os.environ if environ is None else environ)}
    return {name: Path(path) for name in variables() if (path := given.get(f"{name}_FILE", "").strip())}


def unknown_variables(environ: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env")) -> list[str]:
    """One sentence for each `TANDEM_…` variable that means nothing, most likely a typing error.

    Not an error: Kubernetes gives every pod variables of its own about a service named "tandem".
    """
    known = [name + suffix for name in variables() for suffix in ("", "_FILE")]
    given = {**_dotenv(dotenv), **(os.environ if environ is None else environ)}
    of_kubernetes = re.compile(r"TANDEM(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT.*)|PORT(_\d+_(TCP|UDP).*)?)$")
    sentences = []
    for name in sorted(given):
        if name.startswith("TANDEM_") and name not in known and not of_kubernetes.match(name):
            close = difflib.get_close_matches(name, known, n=1)
            sentences.append(f"{name} is no setting of Tandem" + (f"; do you mean {close[0]}?" if close else "."))
    return sentences


def _collect(environ: Mapping[str, str], dotenv: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What is set, the environment before `.env`, and what is wrong with how it is set; both by variable."""
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for layer in (environ, _dotenv(dotenv)):
        for name in variables().keys() - values.keys() - problems.keys():
            direct, path = layer.get(name, "").strip(), layer.get(f"{name}_FILE", "").strip()
            if direct and path:
                problems[name] = f"{name} and {name}_FILE are both set: keep one of them."
            elif direct:
                values[name] = direct
            elif path:
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                    problems[name] = f"{name}_FILE names {path}, which cannot be read: {reason}."
    return {name: value for name, value in values.items() if value}, problems


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def _sentence(name: str, value: str, message: str) -> str:
    reason = re.sub(r"^(Value error, )?(Input should be|String should)", "but should be", message)
    reason = reason.removeprefix("Value error, ").split(", unable to parse")[0]
    secret = variables()[name].annotation is SecretStr
    shown = "set" if secret else repr(re.sub(r"//[^/@]*@", "//…@", value))
    return f"{name} is {shown} {reason}."


def _missing(settings: Settings) -> Iterator[tuple[str, str]]:
    """What `tandem serve` cannot do without, or cannot do, by variable."""
    if not settings.slack_bot_token.get_secret_value():
        where = "your app's page at api.slack.com/apps, OAuth & Permissions, Bot User OAuth Token"
        yield "SLACK_BOT_TOKEN", f"SLACK_BOT_TOKEN is missing: copy it from {where}."
    if settings.transport == "socket" and not settings.slack_app_token.get_secret_value():
        how = "make one with the scope connections:write on Basic Information, App-Level Tokens"
        yield "SLACK_APP_TOKEN", f"SLACK_APP_TOKEN is missing: Socket Mode needs it; {how}."
    if settings.transport == "http" and not settings.slack_signing_secret.get_secret_value():
        how = "copy it from Basic Information, App Credentials"
        yield "SLACK_SIGNING_SECRET", f"SLACK_SIGNING_SECRET is missing: HTTP needs it; {how}."
    if settings.metrics_port and settings.metrics_port == settings.port:
        yield "TANDEM_METRICS_PORT", f"TANDEM_METRICS_PORT and PORT are both {settings.port}: give each its own."
    if not settings.has_model:
        how = "set GEMMA_URL, GEMINI_API_KEY or GOOGLE_CLOUD_PROJECT (TANDEM_DEFAULT_MODEL=demo answers without an AI)"
        yield "GEMMA_URL", f"No model is configured: {how}."


def _in_order(problems: Mapping[str, str]) -> list[str]:
    return [name for name in variables() if name in problems]
