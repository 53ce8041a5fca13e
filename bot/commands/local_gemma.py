"""Settings in, who will answer in the playground out: what is configured, else a small Gemma here, else the demo.

The small Gemma is fetched and started in the background. Until it answers, and whenever it does not, the catalogue
written for this run lets the demo stand in, which every answer says.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.commands.children import Child
from bot.config import Settings

HOST = "127.0.0.1"
CONNECT = "GEMINI_API_KEY=…, GOOGLE_CLOUD_PROJECT=… or GEMMA_URL=… connects a real one."


class StartChild(Protocol):
    """Runs a module as a process of the playground."""

    async def __call__(
        self, name: str, module: str, *arguments: str, said: Callable[[str], None] | None = None
    ) -> Child: ...


async def _nothing(start: StartChild) -> None:
    """No process is needed."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Who answers: one sentence for the terminal, what `tandem serve` needs to know, and what must run for it."""

    sentence: str
    environment: dict[str, str] = field(default_factory=dict)
    serve: Callable[[StartChild], Coroutine[Any, Any, None]] = _nothing


async def plan_model(
    settings: Settings, directory: Path, *, small: bool, download: bool, say: Callable[[str], None]
) -> ModelPlan:
    """Decide who answers."""
    configured = [
        *(["Gemma at " + settings.gemma_url] if settings.gemma_url else []),
        *([f"Gemini {_way_to_gemini(settings)}"] if settings.has_gemini else []),
        *([f"the models of {settings.models}"] if settings.models else []),
    ]
    if configured:
        return ModelPlan(f"Who answers: {' and '.join(configured)}.")
    return demo("nothing else is configured")


def _way_to_gemini(settings: Settings) -> str:
    project = settings.google_cloud_project
    return "with your API key" if settings.gemini_api_key.get_secret_value() else f"in the project {project}"


def demo(reason: str) -> ModelPlan:
    """The built-in model alone."""
    return ModelPlan(
        f"Who answers: the built-in demo, which is no AI ({reason}). {CONNECT}", {"TANDEM_DEFAULT_MODEL": "demo"}
    )
