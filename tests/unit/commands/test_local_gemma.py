"""Who answers in the playground: what is configured, else a small Gemma, else the demo; and which, and why."""

import importlib.util
from pathlib import Path

import pytest

from bot.commands.local_gemma import CATALOGUE, CONTEXT_TOKENS, ModelPlan, Wish, how_it_ended, plan_model
from bot.config import load_settings
from bot.llm.catalogue import parse_catalogue
from bot.llm.local.weights import GEMMA_1B, GEMMA_270M, Weights


async def plan(folder: Path, variables: dict[str, str] | None = None, *, small: bool = False) -> ModelPlan:
    settings = load_settings(variables or {}, dotenv=folder / "none")
    wish = Wish(small=small, download=False, folder=folder)
    return await plan_model(settings, folder, wish=wish, say=print)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GEMMA_URL": "http://gemma:8000"}, "Who answers: Gemma at http://gemma:8000."),
        ({"GEMINI_API_KEY": "k"}, "Who answers: Gemini with your API key."),
        ({"GOOGLE_CLOUD_PROJECT": "p-1"}, "Who answers: Gemini in the project p-1."),
        (
            {"GEMMA_URL": "http://g", "GEMINI_API_KEY": "k"},
            "Who answers: Gemma at http://g and Gemini with your API key.",
        ),
    ],
)
async def test_what_is_configured_answers_and_nothing_runs_beside_it(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    (tmp_path / GEMMA_1B.file).touch()

    planned = await plan(tmp_path, variables)

    assert planned == ModelPlan(expected)


async def test_the_demo_answers_alone_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / GEMMA_1B.file).touch()

    planned = await plan(tmp_path, {"TANDEM_DEFAULT_MODEL": "demo"})

    assert planned.environment == {"TANDEM_DEFAULT_MODEL": "demo"}


async def test_without_weights_and_without_leave_to_fetch_them_the_demo_says_so(tmp_path: Path) -> None:
    planned = await plan(tmp_path)

    assert "no AI (no weights are here, and --no-download forbids to fetch them)" in planned.sentence
    assert "GEMINI_API_KEY" in planned.sentence


async def test_without_llama_cpp_the_demo_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert "llama.cpp" in (await plan(tmp_path)).sentence


@pytest.mark.parametrize(("small", "weights"), [(False, GEMMA_1B), (True, GEMMA_270M)], ids=["usual", "small"])
async def test_weights_that_are_there_are_used_behind_a_key_of_this_run(
    small: bool, weights: Weights, tmp_path: Path
) -> None:
    (tmp_path / weights.file).touch()

    first, second = await plan(tmp_path, small=small), await plan(tmp_path, small=small)

    assert weights.label in first.sentence
    assert first.environment["TANDEM_DEFAULT_MODEL"] == "gemma"
    assert first.environment["GEMMA_URL"].startswith("http://127.0.0.1:")
    assert first.environment["GEMMA_API_KEY"] != second.environment["GEMMA_API_KEY"]
    assert (tmp_path / "gemma.key").stat().st_mode & 0o077 == 0


def test_the_catalogue_of_a_run_names_gemma_with_the_demo_as_its_stand_in() -> None:
    gemma, demo = parse_catalogue(CATALOGUE.format(label="Gemma 3 1B", context=CONTEXT_TOKENS), "run")

    assert (gemma.entry.label, gemma.entry.where, gemma.entry.stand_in) == ("Gemma 3 1B", "self-hosted", demo.entry.id)
    assert gemma.entry.history_tokens + gemma.entry.answer_tokens < gemma.entry.context_tokens


def test_how_a_process_ended_is_said_in_words() -> None:
    assert how_it_ended(3) == "exit code 3"
    assert how_it_ended(-9) == "signal 9"
