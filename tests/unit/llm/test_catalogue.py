"""A catalogue is read strictly, and whoever wrote it is told of every mistake at once."""

from pathlib import Path

import pytest

from bot.conversation.thread import Usage
from bot.errors import ConfigError
from bot.llm.catalogue import KEYS, Price, load_catalogue, parse_catalogue

ENTRY = """
[[model]]
id = "a"
label = "A"
provider = "gemma"
where = "self-hosted"
context_tokens = 1000
answer_tokens = 100
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_catalogue(text, "mine.toml")
    return list(caught.value.problems)


def test_tandems_own_catalogue_is_in_order() -> None:
    specs = {spec.entry.id: spec for spec in load_catalogue()}

    assert list(specs) == ["gemma", "gemini", "gemini-lite", "demo"]
    assert specs["gemini"].model == "gemini-3.8-flash"
    assert specs["gemini-lite"].model == "gemini-3.5-flash-lite"
    assert (specs["gemma"].family, specs["gemma"].dialect) == ("gemma3", "completions")
    assert {spec.entry.where for spec in specs.values()} == {"self-hosted", "managed", "built-in"}
    assert {(spec.entry.history_tokens, spec.entry.history_messages) for spec in specs.values()} == {(32_000, 400)}


def test_words_for_your_own_server_never_go_elsewhere_unless_somebody_writes_so() -> None:
    where = {spec.entry.id: spec.entry.where for spec in load_catalogue()}

    for spec in load_catalogue():
        assert spec.entry.where != "self-hosted" or where.get(spec.entry.stand_in, "self-hosted") == "self-hosted"


def test_an_entry_says_everything_that_may_be_said() -> None:
    (spec,) = parse_catalogue(
        ENTRY
        + """
        aliases = ["b", "c"]
        family = "codelab"
        dialect = "generate"
        model = "m"
        url = "http://gemma:8000"
        history_tokens = 500
        history_messages = 9
        first_token_s = 1
        stall_s = 2.5
        total_s = 3
        sampling = ["top_p"]
        reads = ["image", "pdf"]
        price_in = 0
        price_out = 1.5
        """,
        "mine.toml",
    )

    assert spec.aliases == ("b", "c")
    assert (spec.family, spec.dialect, spec.model, spec.url) == ("codelab", "generate", "m", "http://gemma:8000")
    assert (spec.entry.history_tokens, spec.entry.history_messages) == (500, 9)
    assert (spec.entry.first_token_s, spec.entry.stall_s, spec.entry.total_s) == (1, 2.5, 3)
    assert spec.entry.sampling == {"top_p"} and spec.reads == {"image", "pdf"}
    assert spec.price and (spec.price.input, spec.price.output, spec.price.cached) == (0, 1.5, 0)


def test_text_that_is_no_toml_is_named_with_its_line() -> None:
    (problem,) = problems_of("[[model]]\nid = gemma\n")

    assert problem.startswith("mine.toml is not TOML:") and "line 2" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no model"),
        ("model = 3", "names no model"),
        ("[model]\nid = 'a'", "names no model"),
        ("models = []\n" + ENTRY, "unknown key 'models'"),
        (ENTRY + "temprature = 1", "unknown key 'temprature'"),
        (ENTRY + 'stall_s = "20"', "stall_s must be a number of seconds above 0, not '20'"),
        (ENTRY + "stall_s = 0", "stall_s must be"),
        (ENTRY + "total_s = inf", "total_s must be"),
        (ENTRY + "history_tokens = true", "history_tokens must be a whole number above 0, not True"),
        (ENTRY + "history_tokens = 1.5", "history_tokens must be"),
        (ENTRY + "price_in = -1", "price_in must be"),
        (ENTRY + 'aliases = "b"', "aliases must be a list of texts"),
        (ENTRY + 'sampling = ["top_k"]', "sampling knows no 'top_k'; it is one of 'temperature', 'top_p'"),
        (ENTRY + 'dialect = "openai"', "dialect knows no 'openai'"),
        (ENTRY + 'family = "gemma4"', "needs dialect 'chat'"),
        (ENTRY + 'family = "codelab"\ndialect = "chat"', "needs dialect 'completions' or 'generate'"),
        (ENTRY + 'url = "gemma:8000"', "url must begin with http"),
        (ENTRY + 'stand_in = "b"', "'b' is not"),
        (ENTRY + 'stand_in = "a"', "id of another model"),
        (ENTRY + ENTRY, "2 entries have the id 'a'"),
        (
            ENTRY + 'aliases = ["x"]' + ENTRY.replace('"a"', '"b"') + 'aliases = ["X"]',
            "alias 'X' of model 'b' is taken",
        ),
        (ENTRY + 'aliases = ["a"]', "alias 'a' of model 'a' is taken"),
        (ENTRY.replace('"a"', '"A model"'), "id may hold small letters"),
        (ENTRY.replace('"A"', '" "'), "label is empty"),
        (ENTRY.replace("1000", "100"), "answer_tokens must be smaller"),
        (ENTRY.replace('"gemma"', '"gemini"'), "which Gemini?"),
        (ENTRY.replace('id = "a"', ""), "entry 1: id is missing"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    assert any(words in problem for problem in problems_of(text)), problems_of(text)


def test_all_mistakes_are_named_at_once() -> None:
    text = ENTRY + "colour = 1\nstall_s = 0" + ENTRY.replace('label = "A"', "") + 'reads = ["video"]'

    assert len(problems_of(text)) == 5


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["{}", "[1]", "1979-05-27"])
def test_no_value_of_a_wrong_kind_is_more_than_a_mistake(key: str, value: str) -> None:
    lines = [line for line in ENTRY.splitlines() if not line.startswith(f"{key} ")]

    assert any(f"{key} must be" in problem for problem in problems_of("\n".join([*lines, f"{key} = {value}"])))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'id = "\xe4"')

    for name, words in {"none.toml": "No such file", "latin.toml": "not UTF-8", ".": "directory"}.items():
        with pytest.raises(ConfigError, match=words):
            load_catalogue(tmp_path / name)


def test_an_answer_costs_its_tokens_by_kind_what_came_from_the_cache_at_its_own_price() -> None:
    price = Price(input=1.0, output=10.0, cached=0.1)

    assert price.of(Usage(prompt=3_000_000, cached=1_000_000, answer=100_000, thoughts=400_000)) == pytest.approx(7.1)
