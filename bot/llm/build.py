"""ModelSpecs and what the environment says in, the models that can be asked out."""

from dataclasses import dataclass, replace

import aiohttp

from bot.conversation.ports import Model
from bot.errors import ConfigError
from bot.llm.breaker import BreakerModel
from bot.llm.catalogue import Dialect, ModelSpec, Provider, mismatches
from bot.llm.demo import DemoModel
from bot.llm.gemini import GeminiAccess, GeminiModel
from bot.llm.gemma import GemmaModel, Key
from bot.llm.retry import RetryBudget, RetryingModel

__all__ = ["GeminiAccess", "GemmaAccess", "Key", "build_models", "names"]


@dataclass(frozen=True, slots=True)
class GemmaAccess:
    """The team's own server. What is empty is left to the catalogue's first Gemma entry, which all this is about."""

    url: str = ""
    dialect: Dialect | None = None
    model: str = ""
    api_key: str | Key = ""


def build_models(
    specs: tuple[ModelSpec, ...],
    *,
    session: aiohttp.ClientSession,
    gemma: GemmaAccess | None,
    gemini: GeminiAccess | None,
    include_demo: bool,
) -> dict[str, Model]:
    """The models that are configured, by id, in the catalogue's order; each retries, and rests while it keeps failing.

    A Gemma entry is configured when it has an address, a Gemini entry when there is access. A stand-in that is not
    configured is dropped from its entry. Raises ConfigError for a dialect that cannot take the entry's prompts.
    """
    budget = RetryBudget()
    keys: dict[str, str | Key] = {}
    first = _first(specs, "gemma")
    if gemma and first:
        keys[first.entry.id] = gemma.api_key
        dialect = gemma.dialect or first.dialect
        if problems := list(mismatches(first.family, dialect)):
            raise ConfigError([f"GEMMA_DIALECT is {dialect!r}, but {problem}" for problem in problems])
        reached = replace(first, url=gemma.url or first.url, dialect=dialect)
        specs = _swapped(specs, first, _renamed(reached, gemma.model))
    first = _first(specs, "gemini")
    if gemini and first:
        specs = _swapped(specs, first, _renamed(first, gemini.model))

    models: dict[str, Model] = {}
    for spec in _connected([spec for spec in specs if _configured(spec, gemini, include_demo)]):
        if spec.provider == "demo":
            models[spec.entry.id] = DemoModel(spec.entry)
            continue
        bare: Model
        if spec.provider == "gemini" and gemini:
            bare = GeminiModel(spec, gemini, session=session)
        else:
            bare = GemmaModel(spec, session=session, api_key=keys.get(spec.entry.id, ""))
        models[spec.entry.id] = RetryingModel(BreakerModel(bare), budget=budget)
    return models


def names(specs: tuple[ModelSpec, ...]) -> dict[str, str]:
    """What people may type for a model, in small letters: ids, aliases and labels, each with the id it means."""
    found = {alias.casefold(): spec.entry.id for spec in specs for alias in (spec.entry.label, *spec.aliases)}
    return found | {spec.entry.id: spec.entry.id for spec in specs}


def _first(specs: tuple[ModelSpec, ...], provider: Provider) -> ModelSpec | None:
    return next((spec for spec in specs if spec.provider == provider), None)


def _swapped(specs: tuple[ModelSpec, ...], old: ModelSpec, new: ModelSpec) -> tuple[ModelSpec, ...]:
    return tuple(new if spec is old else spec for spec in specs)


def _renamed(spec: ModelSpec, model: str) -> ModelSpec:
    """The spec for another model at the same place. Its label is the model's name then: an answer says who gave it."""
    if model in ("", spec.model):
        return spec
    return replace(spec, model=model, price=None, entry=replace(spec.entry, label=model.rpartition("/")[2]))


def _configured(spec: ModelSpec, gemini: GeminiAccess | None, include_demo: bool) -> bool:
    return {"gemma": bool(spec.url), "gemini": gemini is not None, "demo": include_demo}[spec.provider]


def _connected(specs: list[ModelSpec]) -> list[ModelSpec]:
    ids = {spec.entry.id for spec in specs}
    return [
        spec if spec.entry.stand_in in ids else replace(spec, entry=replace(spec.entry, stand_in="")) for spec in specs
    ]
