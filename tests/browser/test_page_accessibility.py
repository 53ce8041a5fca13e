"""Nobody is shut out of the page: axe-core finds nothing serious in any view, wide or narrow, light or dark."""

import os
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.doubles.plain_app import PlainApp
from tests.doubles.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
LOOK = """async () => {
  const {violations} = await axe.run({resultTypes: ["violations"]});
  return violations.filter(({impact}) => ["serious", "critical"].includes(impact))
    .flatMap(({id, help, nodes}) => nodes.map(({html, any}) => `${id}: ${help}: ${html} ${any[0]?.message ?? ""}`));
}"""
UNNAMED = """[...document.querySelectorAll("button, input, textarea, select, a[href]")]
  .filter((node) => !(node.ariaLabel || node.textContent.trim() || node.labels?.length))
  .map((node) => `no name: ${node.outerHTML}`)"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        sentence = "axe-core is missing: run `npm ci` in tests/browser (`make test` does, where there is npm)."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return AXE.read_text("utf-8")


@pytest_asyncio.fixture(loop_scope="session")
async def answered(workspace: Workspace, app: PlainApp) -> str:
    """A thread in #general with an answer, reactions and a file beside it; its ts."""
    files = [{"name": "numbers.csv", "mimetype": "text/csv", "content_base64": "YSxiCjEsMgo="}]
    await workspace.say("U0GIA", "C0GENERAL", "the *numbers*, `a` and <b>: https://x.test", files=files)
    root = await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    await workspace.react("U0BEN", "C0GENERAL", root, "eyes")
    return root


async def _faults(page: Page, axe: str, where: str) -> list[str]:
    """What is wrong with the page as it is shown now."""
    await page.evaluate(axe)
    found = [*await page.evaluate(LOOK), *await page.evaluate(UNNAMED)]
    if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the window")
    return [f"{where}: {fault}" for fault in found]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious(open_page: OpenPage, answered: str, axe: str, width: int, dark: bool) -> None:
    page, found = await open_page(width=width, dark=dark), list[str]()
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    found += await _faults(page, axe, "channel")

    await page.goto(page.url.replace("C0GENERAL", f"C0GENERAL/{answered}"))
    answer = page.get_by_role("article").filter(has_text="How to wait")
    await expect(answer.get_by_role("button", name="Details")).to_be_visible()
    found += await _faults(page, axe, "thread")

    await answer.get_by_role("button", name="Details").click()
    modal = page.get_by_role("dialog", name="Details")
    await modal.get_by_role("textbox", name="Note").fill("no")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal.get_by_text("Write three letters at least.")).to_be_visible()
    found += await _faults(page, axe, "modal")
    await modal.get_by_role("button", name="Cancel").click()
    await expect(modal).to_be_hidden()

    await page.goto(page.url.partition("#")[0] + "#/U0ADA/D0ADA")
    await expect(page.get_by_role("button", name="Explain backing off")).to_be_visible()
    found += await _faults(page, axe, "direct message")
    await page.get_by_role("button", name="Home").click()
    await expect(page.get_by_role("region", name="Home").get_by_text("Welcome, @Ada.")).to_be_visible()
    found += await _faults(page, axe, "Home")

    await page.get_by_role("button", name="Wire").click()
    row = page.get_by_role("listitem").filter(has_text="chat.startStream").get_by_role("button")
    await row.click()
    await expect(page.get_by_role("region", name="Arguments")).to_be_visible()
    found += await _faults(page, axe, "Wire")

    await page.get_by_role("button", name="You are Ada").click()
    await expect(page.get_by_role("menuitemradio", name="Gia")).to_be_visible()
    found += await _faults(page, axe, "the menu of people")
    assert found == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious_where_one_edits_and_reacts(
    open_page: OpenPage, answered: str, axe: str, width: int
) -> None:
    page, found = await open_page(width=width), list[str]()
    message = page.get_by_role("article").filter(has_text="how do I wait?")
    await message.hover()
    await message.get_by_role("button", name="Add reaction").click()
    await expect(page.get_by_role("group", name="Choose a reaction")).to_be_visible()
    found += await _faults(page, axe, "the reactions")
    await page.keyboard.press("Escape")

    await page.get_by_role("textbox", name="Message #general").press_sequentially("/m")
    await expect(page.get_by_role("option", name="/model")).to_be_visible()
    found += await _faults(page, axe, "the suggestions")
    await page.get_by_role("textbox", name="Message #general").fill("")

    await message.hover()
    await message.get_by_role("button", name="Edit message").click()
    await expect(page.get_by_role("textbox", name="Edit message")).to_be_focused()
    found += await _faults(page, axe, "the editor")
    assert found == []
