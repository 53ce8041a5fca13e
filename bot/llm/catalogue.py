"""models.toml in, ModelSpecs out: who can answer, and how to speak to them; names every mistake at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast, get_args

from bot.conversation.models import ModelEntry, Where
from bot.conversation.thread import Usage
from bot.errors import ConfigError

Provider = Literal["gemma", "gemini", "demo"]
Family = Literal["gemma3", "gemma4", "codelab"]
Dialect = Literal["completions", "chat", "generate"]

PROVIDERS = get_args(Provider)
FAMILIES = get_args(Family)
DIALECTS = get_args(Dialect)
PLACES = get_args(Where)
SAMPLING = ("temperature", "top_p")
READS = ("image", "pdf")
THINKING = ("", "low", "medium", "high")
ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, for reports."""

    input: float
    output: float
    cached: float

    def of(self, usage: Usage) -> float:
        """What so many tokens cost, in US dollars."""
        fresh = max(0, usage.prompt - usage.cached)
        said = usage.answer + usage.thoughts
        return (fresh * self.input + usage.cached * self.cached + said * self.output) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model: its entry for the core, and how to speak to it."""

    entry: ModelEntry
    provider: Provider
    aliases: tuple[str, ...] = ()
    family: Family = "gemma3"
    dialect: Dialect = "completions"
    model: str = ""  # its name at the server; "" = whatever is served there
    url: str = ""  # the server's root
    reads: frozenset[str] = frozenset()
    thinking: str = ""
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    kind: Literal["text", "size", "seconds", "price", "words"]
    allowed: Sequence[str] = ()
    required: bool = False


KEYS = {
    "id": _Key("text", required=True),
    "label": _Key("text", required=True),
    "aliases": _Key("words"),
    "provider": _Key("text", PROVIDERS, required=True),
    "where": _Key("text", PLACES, required=True),
    "family": _Key("text", FAMILIES),
    "dialect": _Key("text", DIALECTS),
    "model": _Key("text"),
    "url": _Key("text"),
    "context_tokens": _Key("size", required=True),
    "answer_tokens": _Key("size", required=True),
    "history_tokens": _Key("size"),
    "history_messages": _Key("size"),
    "first_token_s": _Key("seconds"),
    "stall_s": _Key("seconds"),
    "total_s": _Key("seconds"),
    "stand_in": _Key("text"),
    "sampling": _Key("words", SAMPLING),
    "reads": _Key("words", READS),
    "thinking": _Key("text", THINKING),
    "price_in": _Key("price"),
    "price_out": _Key("price"),
    "price_cached": _Key("price"),
}

# What a person must have written for a value of each kind, in words.
EXPECTED = {
    "text": "a text in quotes",
    "size": "a whole number above 0",
    "seconds": "a number of seconds above 0",
    "price": "a number, 0 or more",
    "words": 'a list of texts such as ["a", "b"]',
}


def load_catalogue(path: Path | None = None) -> tuple[ModelSpec, ...]:
    """The models of a file, or of the one that Tandem brings; raises ConfigError with every problem in it."""
    if path is None:
        return parse_catalogue(files(__package__).joinpath("models.toml").read_text("utf-8"), "models.toml")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {reason}. Point TANDEM_MODELS at a readable models.toml."]) from exc
    return parse_catalogue(text, str(path))


def parse_catalogue(text: str, source: str) -> tuple[ModelSpec, ...]:
    """The models of a models.toml's text; `source` names it in the problems that ConfigError lists."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError([f"{source} is not TOML: {exc}."]) from exc
    tables = document.get("model")
    problems = [
        f"{source}: unknown key {key!r}; only [[model]] entries belong here." for key in document.keys() - {"model"}
    ]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError([*sorted(problems), f"{source} names no model: write each as a [[model]] entry."])
    for number, table in enumerate(tables, 1):
        problems += [f"{source}, {_title(table, number)}: {problem}" for problem in _problems(table)]
    problems += [f"{source}: {problem}" for problem in _clashes(tables)]
    if problems:
        raise ConfigError(problems)
    return tuple(_spec(table) for table in tables)


def _title(table: dict[str, Any], number: int) -> str:
    return f"model {table['id']!r}" if isinstance(table.get("id"), str) else f"entry {number}"


def _problems(table: dict[str, Any]) -> list[str]:
    """What is wrong with one entry by itself."""
    found = [f"{name} is missing." for name, key in KEYS.items() if key.required and name not in table]
    for name, value in table.items():
        if name not in KEYS:
            found.append(f"unknown key {name!r}; known are {', '.join(KEYS)}.")
        elif not _is(KEYS[name], value):
            found.append(f"{name} must be {EXPECTED[KEYS[name].kind]}, not {value!r}.")
        else:
            found += [
                f"{name} knows no {word!r}; it is one of {', '.join(map(repr, KEYS[name].allowed))}."
                for word in (value if isinstance(value, list) else [value])
                if KEYS[name].allowed and word not in KEYS[name].allowed
            ]
    return found or list(_contradictions(table))


def _is(key: _Key, value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match key.kind:
        case "text":
            return isinstance(value, str)
        case "words":
            return isinstance(value, list) and all(isinstance(word, str) for word in value)
        case "size":
            return number and isinstance(value, int) and value > 0
        case "seconds":
            return number and 0 < cast(float, value) < float("inf")
        case "price":
            return number and 0 <= cast(float, value) < float("inf")


def _contradictions(table: dict[str, Any]) -> Iterable[str]:
    """What cannot be true together, in an entry whose values are each well formed."""
    if not ID.fullmatch(table["id"]):
        yield "id may hold small letters, digits, '.', '_' and '-', as people type it."
    if not table["label"].strip():
        yield "label is empty."
    if table["answer_tokens"] >= table["context_tokens"]:
        yield "answer_tokens must be smaller than context_tokens, which holds prompt and answer."
    yield from mismatches(table.get("family", "gemma3"), table.get("dialect", "completions"))
    if table["provider"] == "gemini" and not table.get("model"):
        yield "model is missing: which Gemini?"
    if table.get("url") and not table["url"].startswith(("http://", "https://")):
        yield f"url must begin with http:// or https://, not {table['url']!r}."


def mismatches(family: Family, dialect: Dialect) -> Iterable[str]:
    """Why this endpoint cannot take this family's prompt; nothing where it can."""
    if family == "gemma4" and dialect != "chat":
        yield "family 'gemma4' needs dialect 'chat', because its server renders the prompt."
    if family == "codelab" and dialect == "chat":
        yield "family 'codelab' needs dialect 'completions' or 'generate', because its prompt is a text."


def _clashes(tables: list[dict[str, Any]]) -> Iterable[str]:
    """What is wrong between entries."""
    ids = [table["id"] for table in tables if isinstance(table.get("id"), str)]
    aliases = [
        (table.get("id"), word)
        for table in tables
        if _is(_Key("words"), table.get("aliases"))
        for word in table["aliases"]
    ]
    for name, count in Counter(ids).items():
        if count > 1:
            yield f"{count} entries have the id {name!r}; give each its own."
    taken = Counter(word.casefold() for word in [*set(ids), *(word for _, word in aliases)])
    for owner, word in aliases:
        if taken[word.casefold()] > 1:
            yield f"the alias {word!r} of model {owner!r} is taken by another model or alias."
    for table in tables:
        stand_in = table.get("stand_in", "")
        if isinstance(stand_in, str) and stand_in and (stand_in not in ids or stand_in == table.get("id")):
            yield f"the stand_in of model {table.get('id')!r} must be the id of another model; {stand_in!r} is not."


def _spec(table: dict[str, Any]) -> ModelSpec:
    shared = {field.name for field in fields(ModelEntry)} & table.keys()
    entry = ModelEntry(**{name: table[name] for name in shared} | {"sampling": frozenset(table.get("sampling", ()))})
    own = {name: table[name] for name in ("family", "dialect", "model", "url", "thinking") if name in table}
    price = None
    if "price_in" in table and "price_out" in table:
        price = Price(table["price_in"], table["price_out"], table.get("price_cached", table["price_in"]))
    return ModelSpec(
        entry=entry,
        provider=table["provider"],
        aliases=tuple(table.get("aliases", ())),
        reads=frozenset(table.get("reads", ())),
        price=price,
        **own,
    )
