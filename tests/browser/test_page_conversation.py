"""The playground's page, as people use it: write, watch an answer grow, follow up, stop it, see it elsewhere."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import OpenPage, Snap
from tests.doubles.plain_app import PlainApp
from tests.doubles.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _write(page: Page, text: str, *, box: str = "Message #general") -> None:
    composer = page.get_by_role("textbox", name=box)
    await composer.fill(text)
    await composer.press("Enter")


async def test_a_message_typed_in_a_channel_is_seen_by_everybody(open_page: OpenPage, snap: Snap) -> None:
    ada, ben = await open_page("U0ADA"), await open_page("U0BEN")

    await _write(ada, "Good morning *all* <b>")

    for page in (ada, ben):
        message = page.get_by_role("article").filter(has_text="Good morning all <b>")
        await expect(message.get_by_text("Ada", exact=True)).to_be_visible()
        await expect(message.locator("strong", has_text="all")).to_be_visible()
    await snap(ben)


async def test_a_mention_is_answered_in_its_thread_while_one_watches(
    open_page: OpenPage, app: PlainApp, snap: Snap
) -> None:
    page = await open_page()

    await _write(page, "@Tandem how do I wait?")

    thread = page.get_by_role("region", name="Thread", exact=True).first
    answer = thread.get_by_role("article").filter(has_text="How to wait")
    await expect(page.get_by_role("status").filter(has_text="Working…")).to_be_visible()
    await expect(answer.locator(".body[aria-busy=true]")).to_be_visible()
    await snap(page, "streaming")
    await expect(answer.get_by_role("button", name="Good answer")).to_be_visible()
    await expect(answer.locator(".body[aria-busy=true]")).to_have_count(0)
    await expect(page.get_by_role("status").filter(has_text="Working…")).to_be_hidden()
    await expect(answer.get_by_role("heading", name="How to wait")).to_be_visible()
    await expect(answer.locator("pre")).to_have_text("await asyncio.sleep(seconds)")
    await expect(answer.get_by_role("cell", name="chat.update")).to_be_visible()
    await expect(answer).to_contain_text("<script>alert(1)</script>")
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    await snap(page, "done")


async def test_a_thread_is_opened_and_followed_up(open_page: OpenPage, workspace: Workspace, app: PlainApp) -> None:
    root = await workspace.say("U0BEN", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    page = await open_page()

    await page.get_by_role("button", name="1 reply").click()
    await _write(page, "@Tandem and then?", box="Reply…")

    thread = page.get_by_role("region", name="Thread", exact=True).first
    await expect(thread.get_by_role("article").filter(has_text="How to wait")).to_have_count(2)
    await expect(page.get_by_role("button", name="3 replies")).to_be_visible()
    assert page.url.endswith(f"/C0GENERAL/{root}")


async def test_the_stop_button_ends_an_answer(open_page: OpenPage, app: PlainApp, snap: Snap) -> None:
    page = await open_page()
    await _write(page, "@Tandem count")
    answer = page.get_by_role("article").filter(has_text="1 2 3 4")
    await expect(answer).to_be_visible()

    await page.get_by_role("button", name="Stop Tandem").click()

    await expect(page.get_by_role("button", name="Stop Tandem")).to_be_hidden()
    await expect(answer.get_by_role("button", name="Good answer")).to_be_visible()
    assert "399" not in await answer.inner_text()
    await snap(page)


async def test_a_direct_message_opens_its_own_thread(open_page: OpenPage, app: PlainApp, snap: Snap) -> None:
    page = await open_page("U0ADA", "D0ADA")

    await _write(page, "how do I wait?", box="Start a conversation with Tandem")

    answer = page.get_by_role("article").filter(has_text="How to wait")
    await expect(answer.get_by_role("button", name="Good answer")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Reply…")).to_be_focused()
    await snap(page)


async def test_an_answer_streams_into_a_second_window(open_page: OpenPage, app: PlainApp) -> None:
    first, second = await open_page(), await open_page()

    await _write(first, "@Tandem count")

    await (
        second.get_by_role("button", name="View thread").or_(second.get_by_role("button", name="1 reply")).first.click()
    )
    await expect(second.get_by_role("article").filter(has_text="1 2 3 4 5")).to_be_visible()
    await second.get_by_role("button", name="Stop Tandem").click()
    await expect(first.get_by_role("button", name="Stop Tandem")).to_be_hidden()


async def test_only_the_asker_sees_an_answer_in_a_channel_being_written(
    open_page: OpenPage, app: PlainApp, snap: Snap
) -> None:
    ada, ben = await open_page("U0ADA"), await open_page("U0BEN")
    await _write(ada, "@Tandem count")
    await expect(ada.get_by_role("article").filter(has_text="1 2 3 4 5")).to_be_visible()

    await ben.get_by_role("main").get_by_role("article").get_by_role("button", name="1 reply").click()

    answer = ben.get_by_role("article", name="Tandem")
    await expect(answer.get_by_text("Ada sees this answer while it is written")).to_be_visible()
    await expect(answer).not_to_contain_text("2 3 4")
    await snap(ben)
    await ada.get_by_role("button", name="Stop Tandem").click()
    await expect(answer).to_contain_text("2 3 4")


async def test_a_reload_in_the_middle_of_an_answer_loses_nothing(
    open_page: OpenPage, app: PlainApp, snap: Snap
) -> None:
    page = await open_page()
    await _write(page, "@Tandem count")
    await expect(page.get_by_role("article").filter(has_text="1 2 3")).to_be_visible()

    await page.reload()

    thread = page.get_by_role("region", name="Thread", exact=True).first
    await expect(thread.get_by_role("article").filter(has_text="1 2 3 4 5 6 7 8 9 10 11 12")).to_be_visible()
    await expect(page.get_by_role("button", name="Stop Tandem")).to_be_visible()
    await snap(page)
    await page.get_by_role("button", name="Stop Tandem").click()
    await expect(page.get_by_role("button", name="Good answer")).to_be_visible()


async def test_a_bot_that_is_away_is_announced_calmly(open_page: OpenPage, workspace: Workspace, snap: Snap) -> None:
    page = await open_page()
    banner = page.get_by_text("The bot is not connected yet.")
    await expect(banner).to_be_visible()
    await snap(page)

    async with PlainApp(workspace.api_url):
        await expect(banner).to_be_hidden()
    await expect(banner).to_be_visible()


async def test_a_restarted_playground_is_found_again(browser: Browser) -> None:
    async with Workspace() as first:
        page = await browser.new_page()
        await page.goto(f"{first.url}/#/U0ADA/C0GENERAL")
        await _write(page, "before")
        await expect(page.get_by_text("before")).to_be_visible()
        port = int(first.url.rpartition(":")[2])
    await expect(page.get_by_text("Connection to the playground lost.")).to_be_visible()

    async with Workspace(port=port):
        await expect(page.get_by_text("Connection to the playground lost.")).to_be_hidden(timeout=10_000)
        await expect(page.get_by_text("before")).to_have_count(0)
        await _write(page, "after")
        await expect(page.get_by_text("after")).to_be_visible()
        await page.close()
