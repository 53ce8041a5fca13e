"""A real Chromium, a playground and a plain app in, pages that people look at out."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

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
NARROW = 390
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"

expect.set_options(timeout=15_000)  # a busy machine is not a failing page

OpenPage = Callable[..., Awaitable[Page]]
Snap = Callable[..., Awaitable[None]]


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sentence = "No Chromium on this machine: install the package chromium to run the page's tests."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a process."""
    path = _chromium()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A playground whose manifest is the plain app's."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST)
    async with Workspace(manifest=manifest) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def app(workspace: Workspace) -> AsyncIterator[PlainApp]:
    async with PlainApp(workspace.api_url) as connected:
        yield connected


@asynccontextmanager
async def windows(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens a window of its own: windows(url, "U0ADA", "C0GENERAL", width=390, dark=True). No script may fail in it."""
    failures: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_(
        url: str, user: str = "U0ADA", place: str = "C0GENERAL", *, width: int = 1280, dark: bool = False
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
        await page.goto(f"{url}/#/{user}/{place}")
        await page.locator("nav").wait_for(state="attached")
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert not failures


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, workspace: Workspace) -> AsyncIterator[OpenPage]:
    """A window on the plain app's playground: open_page("U0ADA", "C0GENERAL", width=390, dark=True)."""
    async with windows(browser) as open_:
        yield partial(open_, workspace.url)


@pytest.fixture
def snap(request: pytest.FixtureRequest) -> Snap:
    """Writes what a page looks like, wide and narrow, to a folder that git ignores, named after the test."""

    async def snap_(page: Page, name: str = "") -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        stem = request.node.name.removeprefix("test_") + (f"-{name}" if name else "")
        shown = page.viewport_size
        assert shown is not None
        for width in sorted({shown["width"], NARROW}, reverse=True):
            await page.set_viewport_size({"width": width, "height": shown["height"]})
            await page.screenshot(path=SCREENSHOTS / f"{stem}-{width}.png")
        await page.set_viewport_size(shown)

    return snap_
