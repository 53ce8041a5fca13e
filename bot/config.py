"""The environment in, one frozen Settings out: read once, checked together, printed without secrets.

Every setting may also be given as a file: `SLACK_BOT_TOKEN_FILE=/run/secrets/token` for `SLACK_BOT_TOKEN`. `.env` in
the working directory is read too; the environment wins. README's table is made from this file.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from bot.errors import ConfigError


def _address(value: str) -> str:
    """An http(s) address without a password in it and without a slash at its end; "" stays."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("but should be an address such as http://host:8000")
    if parts.username or parts.password:
        raise ValueError("but must not hold a name or password: it would show in logs")
    return value.rstrip("/")


def _gemma_root(value: str) -> str:
    address = _address(value)
    if re.search(r"/(v1(/.*)?|generate|predict)$", address):
        raise ValueError("but should be the server's root, without a path such as /v1: GEMMA_DIALECT chooses the path")
    return address


def _store_address(value: str) -> str:
    if not re.fullmatch(r"sqlite:///.+|firestore://.+", value):
        raise ValueError("but should be sqlite:///PATH or firestore://PROJECT/DATABASE")
    return value


def _limits(value: str) -> str:
    if value not in ("documented", "off") and not Path(value).is_file():
        raise ValueError("but should be documented, off, or the path of a file that exists")
    return value


def _existing_file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError("but there is no such file")
    return value


def _hosts(value: object) -> object:
    """ "a.example, b.example" in, ("a.example", "b.example") out."""
    if not isinstance(value, str):
        return value
    hosts = tuple(host.strip().lower() for host in value.split(",") if host.strip())
    wrong = [host for host in hosts if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", host)]
    if wrong:
        raise ValueError(f"but {wrong[0]!r} is not a host name such as example.com or *.example.com")
    return hosts


def _seconds(value: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?(, ?\d+(\.\d+)?)*", value):
        raise ValueError("but should be seconds with commas between, such as 3, 10, 30")
    return value


def _begins_with(*prefixes: str) -> Callable[[SecretStr], SecretStr]:
    def check(value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(prefixes):
            raise ValueError(f"but should begin with {prefixes[0]}")
        return value

    return check


Address = Annotated[str, AfterValidator(_address)]
Secret = SecretStr
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda value: str(value).upper())]


def _setting(name: str, default: Any, description: str, **limits: Any) -> Any:
    return Field(default, validation_alias=name, description=description, **limits)


class Settings(BaseModel):
    """All that an operator can set. Empty means: not set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    slack_bot_token: Annotated[Secret, AfterValidator(_begins_with("xoxb-", "xoxe."))] = _setting(
        "SLACK_BOT_TOKEN", SecretStr(""), "Bot token of the installed app (`xoxb-…`). Needed."
    )
    slack_app_token: Annotated[Secret, AfterValidator(_begins_with("xapp-"))] = _setting(
        "SLACK_APP_TOKEN", SecretStr(""), "App-level token with `connections:write` (`xapp-…`). Needed for Socket Mode."
    )
    slack_signing_secret: Secret = _setting(
        "SLACK_SIGNING_SECRET", SecretStr(""), "Signing secret of the app. Needed for HTTP."
    )
    slack_api_url: Address = _setting("SLACK_API_URL", "https://slack.com/api", "Slack's Web API.")
    transport: Literal["socket", "http"] = _setting(
        "TANDEM_TRANSPORT", "socket", "How events come in: `socket` (Socket Mode) or `http` (`/slack/events`)."
    )
    host: str = _setting("HOST", "127.0.0.1", "Address to listen on; in a container `0.0.0.0`.")
    port: int = _setting("PORT", 8080, "Port of `/healthz`, `/readyz` and, over HTTP, `/slack/events`.", ge=0, le=65535)

    gemma_url: Annotated[str, AfterValidator(_gemma_root)] = _setting(
        "GEMMA_URL", "", "Root of the server that runs Gemma, for example `http://gemma:8000`."
    )
    gemma_dialect: Literal["", "completions", "chat", "generate"] = _setting(
        "GEMMA_DIALECT", "", "How to speak to it: `completions`, `chat` or `generate`. Empty: as the catalogue says."
    )
    gemma_model: str = _setting("GEMMA_MODEL", "", "The model's name at that server. Empty: as the catalogue says.")
    gemma_api_key: Secret = _setting("GEMMA_API_KEY", SecretStr(""), "Key of that server, if it wants one.")
    gemini_api_key: Secret = _setting(
        "GEMINI_API_KEY", SecretStr(""), "Key of the Gemini API. Goes before `GOOGLE_CLOUD_PROJECT`."
    )
    google_cloud_project: str = _setting("GOOGLE_CLOUD_PROJECT", "", "Project whose Vertex AI runs Gemini.")
    google_cloud_location: str = _setting("GOOGLE_CLOUD_LOCATION", "global", "Vertex AI's location.", min_length=1)
    gemini_model: str = _setting("GEMINI_MODEL", "", "Gemini model. Empty: as the catalogue says.")
    google_gemini_base_url: Address = _setting("GOOGLE_GEMINI_BASE_URL", "", "Another address of the Gemini API.")
    google_vertex_base_url: Address = _setting("GOOGLE_VERTEX_BASE_URL", "", "Another address of Vertex AI.")
    default_model: str = _setting(
        "TANDEM_DEFAULT_MODEL",
        "",
        "Who answers where nothing else was chosen: `gemma`, `gemini`, … `demo` is the built-in model that is no AI, "
        "and only answers where it is named here. Empty: the first of the catalogue that is configured.",
    )
    models: Annotated[str, AfterValidator(_existing_file)] = _setting(
        "TANDEM_MODELS", "", "Path of a catalogue of your own, a `models.toml`. Empty: the one that comes with Tandem."
    )
    persona: str = _setting("TANDEM_PERSONA", "", "The system prompt. Empty: Tandem's own.")
    temperature: float | None = _setting("TANDEM_TEMPERATURE", None, "Sent to models that take it.", ge=0, le=2)
    top_p: float | None = _setting("TANDEM_TOP_P", None, "Sent to models that take it.", gt=0, le=1)
    max_tokens: int | None = _setting("TANDEM_MAX_TOKENS", None, "Longest answer. Empty: as the catalogue says.", gt=0)

    reply_mode: Literal["", "native", "edit", "final"] = _setting(
        "TANDEM_REPLY_MODE",
        "",
        "How answers grow: `native` (Slack's stream), `edit`, or `final` (all at once). Empty: native in direct "
        "messages, edit in channels.",
    )
    follow_ups: bool = _setting(
        "TANDEM_FOLLOW_UPS", True, "Answer in threads that it takes part in without being mentioned again."
    )
    allow_outsiders: bool = _setting(
        "TANDEM_ALLOW_OUTSIDERS", False, "Answer people of other workspaces in shared channels."
    )
    link_hosts: Annotated[tuple[str, ...], BeforeValidator(_hosts)] = _setting(
        "TANDEM_LINK_HOSTS", (), "Hosts whose links stay clickable in answers, with commas between."
    )
    slack_limits: Annotated[str, AfterValidator(_limits)] = _setting(
        "TANDEM_SLACK_LIMITS",
        "documented",
        "How often Slack may be called: `documented`, `off`, or a TOML file of calls a minute such as "
        '`"chat.update" = 25`. A 429 is obeyed in any case.',
    )

    store: Annotated[str, AfterValidator(_store_address)] = _setting(
        "TANDEM_STORE", "sqlite:///tandem.db", "The mirror: `sqlite:///PATH` or `firestore://PROJECT/DATABASE`."
    )
    firestore_emulator_host: str = _setting(
        "FIRESTORE_EMULATOR_HOST", "", "`host:port` of a Firestore emulator, instead of the service."
    )
    retention_days: int = _setting("TANDEM_RETENTION_DAYS", 90, "Days after which a thread is forgotten.", ge=1)
    lease_s: float = _setting(
        "TANDEM_LEASE_S", 10.0, "Seconds after which a silent owner loses its thread.", ge=1, le=300
    )
    drain_s: float = _setting(
        "TANDEM_DRAIN_S", 20.0, "Seconds that running answers get after SIGTERM before they are handed over.", ge=0
    )
    settle: Annotated[str, AfterValidator(_seconds)] = _setting(
        "TANDEM_SETTLE_S", "3, 10, 30", "When to look for a message that Slack may or may not have taken, in seconds."
    )
    max_turns: int = _setting("TANDEM_MAX_TURNS", 256, "Answers at once in one process.", ge=1)
    replicas: int = _setting("TANDEM_REPLICAS", 0, "How many processes share Slack's limits; 0: unknown.", ge=0)
    inspect: bool = _setting(
        "TANDEM_INSPECT", False, "Show the mirror at `/inspect`, on loopback only; for development."
    )
    log_level: LogLevel = _setting("LOG_LEVEL", "INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.")
    log_format: Literal["json", "text"] = _setting("TANDEM_LOG_FORMAT", "json", "`json` or `text`.")
    failpoint: str = _setting("TANDEM_FAILPOINT", "", "For tests only: where this process dies (bot/failpoints.py).")
    weights_hub: Address = _setting(
        "TANDEM_WEIGHTS_HUB", "https://huggingface.co", "Where `tandem playground` fetches the small Gemma."
    )

    @property
    def has_gemini(self) -> bool:
        """Whether Gemini can be reached, by key or by project."""
        return bool(self.gemini_api_key.get_secret_value() or self.google_cloud_project)

    @property
    def has_model(self) -> bool:
        """Whether anything is said about who shall answer."""
        return bool(self.gemma_url or self.has_gemini or self.models or self.default_model == "demo")


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


def variables() -> dict[str, FieldInfo]:
    """Every setting by its variable's name, in the order of the documentation."""
    return {str(field.validation_alias): field for field in Settings.model_fields.values()}


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
    """What `tandem serve` cannot do without, by variable."""
    if not settings.slack_bot_token.get_secret_value():
        where = "your app's page at api.slack.com/apps, OAuth & Permissions, Bot User OAuth Token"
        yield "SLACK_BOT_TOKEN", f"SLACK_BOT_TOKEN is missing: copy it from {where}."
    if settings.transport == "socket" and not settings.slack_app_token.get_secret_value():
        how = "make one with the scope connections:write on Basic Information, App-Level Tokens"
        yield "SLACK_APP_TOKEN", f"SLACK_APP_TOKEN is missing: Socket Mode needs it; {how}."
    if settings.transport == "http" and not settings.slack_signing_secret.get_secret_value():
        how = "copy it from Basic Information, App Credentials"
        yield "SLACK_SIGNING_SECRET", f"SLACK_SIGNING_SECRET is missing: HTTP needs it; {how}."
    if not settings.has_model:
        how = "set GEMMA_URL, GEMINI_API_KEY or GOOGLE_CLOUD_PROJECT (TANDEM_DEFAULT_MODEL=demo answers without an AI)"
        yield "GEMMA_URL", f"No model is configured: {how}."


def _in_order(problems: Mapping[str, str]) -> list[str]:
    return [name for name in variables() if name in problems]
