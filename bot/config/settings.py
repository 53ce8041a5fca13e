"""All that an operator can set: each setting with its variable, its default, what it means, and its check."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from bot.config.checks import address, begins_with, existing_file, gemma_root, hosts, limits, seconds, store_address

Address = Annotated[str, AfterValidator(address)]
Secret = SecretStr
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda value: str(value).upper())]


def _setting(name: str, default: Any, description: str, **limits: Any) -> Any:
    return Field(default, validation_alias=name, description=description, **limits)


class Settings(BaseModel):
    """All that an operator can set. Empty means: not set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    slack_bot_token: Annotated[Secret, AfterValidator(begins_with("xoxb-", "xoxe."))] = _setting(
        "SLACK_BOT_TOKEN", SecretStr(""), "Bot token of the installed app (`xoxb-…`). Needed."
    )
    slack_app_token: Annotated[Secret, AfterValidator(begins_with("xapp-"))] = _setting(
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

    gemma_url: Annotated[str, AfterValidator(gemma_root)] = _setting(
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
    models: Annotated[str, AfterValidator(existing_file)] = _setting(
        "TANDEM_MODELS", "", "Path of a catalogue of your own, a `models.toml`. Empty: the one that comes with Tandem."
    )
    persona: str = _setting(
        "TANDEM_PERSONA", "", "The system prompt; which model answers is said below it. Empty: Tandem's own."
    )
    temperature: float | None = _setting("TANDEM_TEMPERATURE", None, "Sent to models that take it.", ge=0, le=2)
    top_p: float | None = _setting("TANDEM_TOP_P", None, "Sent to models that take it.", gt=0, le=1)
    max_tokens: int | None = _setting(
        "TANDEM_MAX_TOKENS",
        None,
        "Longest answer, in tokens; never more than the catalogue gives the model. Empty: all of that.",
        gt=0,
    )

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
    link_hosts: Annotated[tuple[str, ...], BeforeValidator(hosts)] = _setting(
        "TANDEM_LINK_HOSTS", (), "Hosts whose links stay clickable in answers, with commas between."
    )
    slack_limits: Annotated[str, AfterValidator(limits)] = _setting(
        "TANDEM_SLACK_LIMITS",
        "documented",
        "How often Slack may be called: `documented`, `off`, or a TOML file of calls a minute such as "
        '`"chat.update" = 25`. A 429 is obeyed in any case.',
    )

    store: Annotated[str, AfterValidator(store_address)] = _setting(
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
    settle: Annotated[str, AfterValidator(seconds)] = _setting(
        "TANDEM_SETTLE_S", "3, 10, 30", "When to look for a message that Slack may or may not have taken, in seconds."
    )
    max_turns: int = _setting("TANDEM_MAX_TURNS", 256, "Answers at once in one process.", ge=1)
    replicas: int = _setting("TANDEM_REPLICAS", 0, "How many processes share Slack's limits; 0: unknown.", ge=0)
    inspect: bool = _setting(
        "TANDEM_INSPECT", False, "Show the mirror at `/inspect`, on loopback only; for development."
    )
    metrics_port: int | None = _setting(
        "TANDEM_METRICS_PORT",
        None,
        "Port of `/metrics`, for Prometheus; keep it from the public. Empty: there are no metrics.",
        ge=0,
        le=65535,
    )
    otlp_endpoint: Address = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "OpenTelemetry collector for traces (OTLP over HTTP), such as `http://collector:4318`. Empty: none are made.",
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


def variables() -> dict[str, FieldInfo]:
    """Every setting by its variable's name, in the order of the documentation."""
    return {str(field.validation_alias): field for field in Settings.model_fields.values()}
