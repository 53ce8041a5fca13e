"""What an app offers on the playground's page: commands, menus, modals, Home, suggested prompts."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Snap
from tests.doubles.plain_app import PlainApp
from tests.doubles.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message #general")


async def _answered(page: Page, workspace: Workspace) -> Locator:
    root = await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    await page.get_by_role("button", name="1 reply").click()
    return page.get_by_role("article").filter(has_text="How to wait")


async def test_a_slash_command_is_hinted_and_answered_to_oneself(
    open_page: OpenPage, app: PlainApp, snap: Snap
) -> None:
    page, other = await open_page(), await open_page("U0BEN")

    await _composer(page).press_sequentially("/mo")
    await expect(page.get_by_role("option", name="/model")).to_be_visible()
    await snap(page, "hint")
    await page.keyboard.press("Tab")
    await page.keyboard.type("gemini")
    await page.keyboard.press("Enter")

    answer = page.get_by_role("article").filter(has_text="Gemini answers here.")
    await expect(answer.get_by_text("Only visible to you")).to_be_visible()
    await expect(answer.get_by_role("combobox")).to_have_value("gemini")
    await expect(other.get_by_role("article")).to_have_count(0)
    await snap(page, "answer")


async def test_slash_commands_are_refused_in_threads(open_page: OpenPage, workspace: Workspace, app: PlainApp) -> None:
    page = await open_page()
    await _answered(page, workspace)

    reply = page.get_by_role("textbox", name="Reply…")
    await reply.fill("/model gemini")
    await reply.press("Enter")

    await expect(page.get_by_role("alert").get_by_text("do not work in threads")).to_be_visible()
    await expect(reply).to_have_value("/model gemini")
    assert app.model == "gemma"


async def test_an_unknown_command_names_the_known_ones(open_page: OpenPage, app: PlainApp) -> None:
    page = await open_page()

    await _composer(page).fill("/modle gemini")
    await _composer(page).press("Enter")

    await expect(page.get_by_role("alert").get_by_text("/modle is not a command here. Known: /model.")).to_be_visible()


async def test_a_menu_below_an_answer_chooses(
    open_page: OpenPage, workspace: Workspace, app: PlainApp, snap: Snap
) -> None:
    page = await open_page()
    answer = await _answered(page, workspace)

    await answer.get_by_role("combobox", name="Model").select_option("gemini")

    await expect(page.get_by_role("article").filter(has_text="From now on Gemini answers.")).to_be_visible()
    assert app.model == "gemini"
    await snap(page)


async def test_feedback_is_heard_and_stays_pressed(open_page: OpenPage, workspace: Workspace, app: PlainApp) -> None:
    page = await open_page()
    answer = await _answered(page, workspace)

    await answer.get_by_role("button", name="Good answer").click()

    await expect(answer.get_by_role("button", name="Good answer", pressed=True)).to_be_visible()
    await app.heard(1)
    assert [action["value"] for action in app.actions] == ["good"]


async def test_a_modal_is_filled_in_refused_and_saved(
    open_page: OpenPage, workspace: Workspace, app: PlainApp, snap: Snap
) -> None:
    page = await open_page()
    answer = await _answered(page, workspace)

    await answer.get_by_role("button", name="Details").click()
    modal = page.get_by_role("dialog", name="Details")
    await modal.get_by_role("textbox", name="Note").fill("no")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal.get_by_text("Write three letters at least.")).to_be_visible()
    await snap(page)
    await modal.get_by_role("textbox", name="Note").fill("a fine answer")
    await modal.get_by_role("button", name="Save").click()

    await expect(modal).to_be_hidden()
    assert app.notes == ["a fine answer"]


async def test_the_apps_home_is_shown(open_page: OpenPage, app: PlainApp, snap: Snap) -> None:
    page = await open_page("U0BEN", "D0BEN")

    await page.get_by_role("button", name="Home").click()

    await expect(page.get_by_role("region", name="Home").get_by_text("Welcome, @Ben. Gemma answers.")).to_be_visible()
    await snap(page)


async def test_the_app_is_brought_into_a_channel_that_it_does_not_hear(open_page: OpenPage, app: PlainApp) -> None:
    page = await open_page("U0ADA", "C0QUIET")

    await page.get_by_role("button", name="Add Tandem").click()

    await expect(page.get_by_text("@Tandem has joined the channel")).to_be_visible()
    await expect(page.get_by_role("button", name="Add Tandem")).to_have_count(0)
    composer = page.get_by_role("textbox", name="Message #random")
    await composer.fill("@Tandem how do I wait?")
    await composer.press("Enter")
    await expect(page.get_by_role("article").filter(has_text="How to wait")).to_be_visible()


async def test_suggested_prompts_fill_the_composer(open_page: OpenPage, app: PlainApp) -> None:
    page = await open_page("U0ADA", "D0ADA")

    await page.get_by_role("button", name="Explain backing off").click()

    composer = page.get_by_role("textbox", name="Start a conversation with Tandem")
    await expect(composer).to_have_value("Explain how to back off politely")
    await expect(page.get_by_text("Ask me about limits")).to_be_visible()
