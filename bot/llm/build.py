"""ModelSpecs and what the environment says in, the models that can be asked out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import aiohttp

from bot.conversation.ports import Model
from bot.errors import ConfigError
from bot.llm.breaker import BreakerModel
from bot.llm.catalogue import Dialect, ModelSpec, Provider, mismatches
from bot.llm.demo import DemoModel
from bot.llm.gemini import GeminiAccess, GeminiModel
from bot.llm.gemma import GemmaModel, Key
from bot.llm.retry import RetryBudget, RetryingModel

__all__ = ["GeminiAccess", "GemmaAccess", "Key", "build_models", "configured", "names"]


@dataclass(frozen=True, slots=True)
class GemmaAccess:
    """The team's own server. What is empty is left to the catalogue's first Gemma entry, which all this is about."""

    url: str = ""
    dialect: Dialect | None = None
    model: str = ""
    api_key: str | Key = ""


def configured(
    specs: tuple[ModelSpec, ...], *, gemma: GemmaAccess | None, gemini: GeminiAccess | None, include_demo: bool
) -> tuple[ModelSpec, ...]:
    """The models that can be asked, in the catalogue's order, as the environment has changed them.

    A Gemma entry is configured when it has an address, a Gemini entry when there is access. A stand-in that is not
    configured is dropped from its entry. Raises ConfigError for a dialect that cannot take the entry's prompts.
    """
    first = _first(specs, "gemma")
    if gemma and first:
        dialect = gemma.dialect or first.dialect
        if problems := list(mismatches(first.family, dialect)):
            raise ConfigError([f"GEMMA_DIALECT is {dialect!r}, but {problem}" for problem in problems])
        reached = replace(first, url=gemma.url or first.url, dialect=dialect)
        specs = _swapped(specs, first, _renamed(reached, gemma.model))
    first = _first(specs, "gemini")
    if gemini and first:
        specs = _swapped(specs, first, _renamed(first, gemini.model))
    return _connected([spec for spec in specs if _configured(spec, gemini, include_demo)])


def build_models(
    specs: tuple[ModelSpec, ...],
    *,
    session: aiohttp.ClientSession,
    gemma: GemmaAccess | None,
    gemini: GeminiAccess | None,
    include_demo: bool,
    on_rest: Callable[[str, bool], None] = lambda _id, _resting: None,
) -> dict[str, Model]:
    """The configured models of a catalogue, by id; each retries, and rests while it keeps failing.

    `on_rest` hears, with a model's id, when it begins to be left alone, and when that is over.
    """
    budget = RetryBudget()
    first = _first(specs, "gemma")
    models: dict[str, Model] = {}
    for spec in configured(specs, gemma=gemma, gemini=gemini, include_demo=include_demo):
        id_ = spec.entry.id
        if spec.provider == "demo":
            models[id_] = DemoModel(spec.entry)
            continue
        bare: Model
        if spec.provider == "gemini" and gemini:
            bare = GeminiModel(spec, gemini, session=session)
        else:
            key = gemma.api_key if gemma and first and id_ == first.entry.id else ""
            bare = GemmaModel(spec, session=session, api_key=key)
        models[id_] = RetryingModel(BreakerModel(bare, on_rest=partial(on_rest, id_)), budget=budget)
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


def _connected(specs: list[ModelSpec]) -> tuple[ModelSpec, ...]:
    ids = {spec.entry.id for spec in specs}
    return tuple(
        spec if spec.entry.stand_in in ids else replace(spec, entry=replace(spec.entry, stand_in="")) for spec in specs
    )
