"""A real Chromium, a playground and a plain app in, pages that people look at out."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.doubles.plain_app import MANIFEST, PlainApp
from tests.doubles.workspace import Workspace

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"

OpenPage = Callable[..., Awaitable[Page]]


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sentence = "No Chromium on this machine: install the package chromium to run the page's tests."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = _chromium()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A playground whose manifest is the plain app's."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST)
    async with Workspace(manifest=manifest) as running:
        yield running


@pytest.fixture
async def app(workspace: Workspace) -> AsyncIterator[PlainApp]:
    async with PlainApp(workspace.api_url) as connected:
        yield connected


@pytest.fixture
async def open_page(browser: Browser, workspace: Workspace) -> AsyncIterator[OpenPage]:
    """Opens a window of its own: open_page("U0ADA", "C0GENERAL", width=390, dark=True). No script may fail in it."""
    failures: list[str] = []

    async def open_(user: str = "U0ADA", place: str = "C0GENERAL", *, width: int = 1280, dark: bool = False) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
        await page.goto(f"{workspace.url}/#/{user}/{place}")
        await page.locator("nav").wait_for(state="attached")
        return page

    yield open_
    assert not failures


@pytest.fixture
def snap(request: pytest.FixtureRequest) -> Callable[..., Awaitable[None]]:
    """Writes what a page looks like to a folder that git ignores, named after the test."""

    async def snap_(page: Page, name: str = "") -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        stem = request.node.name.removeprefix("test_") + (f"-{name}" if name else "")
        await page.screenshot(path=SCREENSHOTS / f"{stem}.png")

    return snap_
