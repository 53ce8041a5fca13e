"""An operator's own limits: read strictly, every mistake named."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.slack.limits import DOCUMENTED
from bot.slack.own_limits import read_limits


def test_the_documented_limits_and_none_need_no_file() -> None:
    assert read_limits("documented") is DOCUMENTED and read_limits("off") is None


def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('"chat.update" = 25\n')

    limits = read_limits(str(path))

    assert limits is not None and limits["chat.update"] == 25
    assert {**limits, "chat.update": DOCUMENTED["chat.update"]} == DOCUMENTED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"chat.update" = "many"', "should be calls a minute"),
        ('"chat.update" = 0', "above 0"),
        ('"chat.upate" = 5', "no method that Tandem calls"),
        ("chat.update", "is not TOML"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=words):
        read_limits(str(path))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_limits(str(tmp_path / "nowhere.toml"))
