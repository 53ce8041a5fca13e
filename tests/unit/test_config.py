"""Settings: read together, checked together, printed without secrets."""

from pathlib import Path

import pytest

from bot.config import Settings, load_settings, unknown_variables, variables
from bot.errors import ConfigError

WORKING = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "GEMMA_URL": "http://gemma:8000"}
NO_DOTENV = Path("/nonexistent/.env")


def load(environ: dict[str, str], *, to_serve: bool = False, dotenv: Path = NO_DOTENV) -> Settings:
    return load_settings(environ, dotenv=dotenv, to_serve=to_serve)


def problems(environ: dict[str, str], *, to_serve: bool = False, dotenv: Path = NO_DOTENV) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(environ, to_serve=to_serve, dotenv=dotenv)
    return caught.value.problems


def test_nothing_set_means_every_default() -> None:
    settings = load({})

    assert settings.transport == "socket"
    assert settings.slack_api_url == "https://slack.com/api"
    assert settings.store == "sqlite:///tandem.db"
    assert settings.retention_days == 90
    assert settings.host == "127.0.0.1"


def test_every_default_is_a_value_that_its_own_check_accepts() -> None:
    written = {name: _written(field.default) for name, field in variables().items()}

    assert load(written) == load({})


def _written(default: object) -> str:
    plain = default.get_secret_value() if hasattr(default, "get_secret_value") else default
    return "" if plain in (None, ()) else str(plain)


@pytest.mark.parametrize("name", list(variables()))
def test_every_setting_is_documented_with_a_sentence(name: str) -> None:
    description = variables()[name].description or ""

    assert description.endswith((".", "it."))
    assert "|" not in description, "it would break the table in README"


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load({"PORT": "", "TANDEM_TRANSPORT": "  "}) == load({})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TANDEM_TRANSPORT", "sockets", "TANDEM_TRANSPORT is 'sockets' but should be 'socket' or 'http'."),
        ("PORT", "70000", "PORT is '70000' but should be less than or equal to 65535."),
        ("TANDEM_LEASE_S", "soon", "TANDEM_LEASE_S is 'soon' but should be a valid number."),
        ("TANDEM_MAX_TURNS", "0", "TANDEM_MAX_TURNS is '0' but should be greater than or equal to 1."),
        ("TANDEM_FOLLOW_UPS", "perhaps", "TANDEM_FOLLOW_UPS is 'perhaps' but should be a valid boolean"),
        ("SLACK_BOT_TOKEN", "xoxp-7", "SLACK_BOT_TOKEN is set but should begin with xoxb-."),
        ("SLACK_APP_TOKEN", "xoxb-7", "SLACK_APP_TOKEN is set but should begin with xapp-."),
        ("SLACK_API_URL", "slack.com/api", "SLACK_API_URL is 'slack.com/api' but should be an address such as"),
        ("GEMMA_URL", "http://gemma:8000/v1", "GEMMA_URL is 'http://gemma:8000/v1' but should be the server's root"),
        ("GEMMA_DIALECT", "vllm", "GEMMA_DIALECT is 'vllm' but should be"),
        ("TANDEM_STORE", "postgres://x", "TANDEM_STORE is 'postgres://x' but should be sqlite:///PATH or firestore://"),
        ("TANDEM_SLACK_LIMITS", "none", "TANDEM_SLACK_LIMITS is 'none' but should be documented, off, or the path"),
        ("TANDEM_MODELS", "/no/models.toml", "TANDEM_MODELS is '/no/models.toml' but there is no such file."),
        ("TANDEM_LINK_HOSTS", "ok.example, http://x", "'http://x' is not a host name"),
        ("TANDEM_TEMPERATURE", "3", "TANDEM_TEMPERATURE is '3' but should be less than or equal to 2."),
        (
            "TANDEM_SETTLE_S",
            "soon",
            "TANDEM_SETTLE_S is 'soon' but should be seconds with commas between, such as 3, 10, 30.",
        ),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud' but should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_it_should_be(name: str, value: str, expected: str) -> None:
    [problem] = problems({name: value})

    assert expected in problem


def test_all_problems_are_told_at_once_in_the_order_of_the_documentation() -> None:
    told = problems({"TANDEM_LEASE_S": "soon", "SLACK_APP_TOKEN": "nope", "PORT": "x"}, to_serve=True)

    assert [sentence.split()[0] for sentence in told] == [
        *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "PORT", "No", "TANDEM_LEASE_S"),
    ]


def test_socket_mode_needs_the_app_token_and_http_the_signing_secret() -> None:
    over_socket = problems({"GEMMA_URL": "http://g", "SLACK_BOT_TOKEN": "xoxb-1"}, to_serve=True)
    over_http = problems({**WORKING, "TANDEM_TRANSPORT": "http"}, to_serve=True)

    assert [sentence.split()[0] for sentence in over_socket] == ["SLACK_APP_TOKEN"]
    assert [sentence.split()[0] for sentence in over_http] == ["SLACK_SIGNING_SECRET"]


@pytest.mark.parametrize(
    "model",
    [{"GEMMA_URL": "http://g"}, {"GEMINI_API_KEY": "k"}, {"GOOGLE_CLOUD_PROJECT": "p"}],
    ids=lambda m: next(iter(m)),
)
def test_serving_needs_one_configured_model(model: dict[str, str]) -> None:
    tokens = {name: value for name, value in WORKING.items() if name != "GEMMA_URL"}

    assert load({**tokens, **model}, to_serve=True)
    assert problems(tokens, to_serve=True)[0].startswith("No model is configured: set GEMMA_URL,")


def test_metrics_have_a_port_of_their_own() -> None:
    told = problems({**WORKING, "PORT": "9464", "TANDEM_METRICS_PORT": "9464"}, to_serve=True)

    assert told == ("TANDEM_METRICS_PORT and PORT are both 9464: give each its own.",)
    assert load({**WORKING, "PORT": "0", "TANDEM_METRICS_PORT": "0"}, to_serve=True).metrics_port == 0


def test_the_demo_serves_only_where_it_is_named() -> None:
    tokens = {name: value for name, value in WORKING.items() if name != "GEMMA_URL"}

    assert load({**tokens, "TANDEM_DEFAULT_MODEL": "demo"}, to_serve=True).default_model == "demo"


def test_no_secret_is_printed_neither_in_settings_nor_in_problems() -> None:
    secrets = {"SLACK_BOT_TOKEN": "xoxb-hush", "GEMMA_API_KEY": "hush", "GEMINI_API_KEY": "hush"}

    assert "hush" not in repr(load(secrets))
    assert "hush" not in str(problems({"SLACK_BOT_TOKEN": "hush", "GEMMA_URL": "http://me:hush@gemma"}))


def test_a_setting_may_be_a_mounted_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-mounted\n")

    settings = load({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")})

    assert settings.slack_bot_token.get_secret_value() == "xoxb-mounted"


def test_a_setting_given_twice_or_in_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    told = problems({"HOST": "::1", "HOST_FILE": str(tmp_path / "a"), "SLACK_SIGNING_SECRET_FILE": str(tmp_path / "b")})

    assert told == (
        f"SLACK_SIGNING_SECRET_FILE names {tmp_path / 'b'}, which cannot be read: No such file or directory.",
        "HOST and HOST_FILE are both set: keep one of them.",
    )


def test_the_environment_goes_before_dotenv_in_either_form(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"PORT=1111\nHOST=::1\nSLACK_BOT_TOKEN_FILE={tmp_path / 'absent'}\n")

    settings = load({"PORT": "2222", "SLACK_BOT_TOKEN": "xoxb-env"}, dotenv=dotenv)

    assert (settings.port, settings.host) == (2222, "::1")
    assert settings.slack_bot_token.get_secret_value() == "xoxb-env"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).port = 1


def test_link_hosts_are_a_list_with_commas() -> None:
    assert load({"TANDEM_LINK_HOSTS": "Docs.Example.com, *.example.org"}).link_hosts == (
        "docs.example.com",
        "*.example.org",
    )


def test_a_variable_that_means_nothing_is_named_with_what_was_probably_meant() -> None:
    told = unknown_variables({"TANDEM_LEASES": "3", "TANDEM_XYZZY": "1", "PATH": "/bin"}, dotenv=NO_DOTENV)

    assert told == [
        "TANDEM_LEASES is no setting of Tandem; do you mean TANDEM_LEASE_S?",
        "TANDEM_XYZZY is no setting of Tandem.",
    ]


def test_what_kubernetes_sets_for_a_service_named_tandem_is_no_typing_error() -> None:
    of_service = {
        "TANDEM_SERVICE_HOST": "10.0.0.1",
        "TANDEM_SERVICE_PORT_HTTP": "80",
        "TANDEM_PORT": "tcp://10.0.0.1:80",
        "TANDEM_PORT_80_TCP_ADDR": "10.0.0.1",
    }

    assert unknown_variables(of_service, dotenv=NO_DOTENV) == []
