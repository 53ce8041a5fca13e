"""The playground's page, clicked and typed on: edits, files, people, reactions, keyboard."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Snap
from tests.doubles.plain_app import PlainApp
from tests.doubles.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message #general")


async def test_up_edits_ones_last_message_and_escape_leaves_it(open_page: OpenPage, workspace: Workspace) -> None:
    await workspace.say("U0ADA", "C0GENERAL", "helo @Ben")
    page, other = await open_page(), await open_page("U0BEN")
    await expect(page.get_by_text("helo")).to_be_visible()

    await _composer(page).press("ArrowUp")
    await expect(page.get_by_role("textbox", name="Edit message")).to_have_value("helo @Ben")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("textbox", name="Edit message")).to_have_count(0)
    await _composer(page).press("ArrowUp")
    await page.get_by_role("textbox", name="Edit message").fill("hello @Ben")
    await page.keyboard.press("Enter")

    await expect(other.get_by_role("article").filter(has_text="hello @Ben").get_by_text("(edited)")).to_be_visible()


async def test_a_message_is_deleted_everywhere(open_page: OpenPage, workspace: Workspace, snap: Snap) -> None:
    await workspace.say("U0ADA", "C0GENERAL", "not for here")
    page, other = await open_page(), await open_page("U0BEN")
    message = page.get_by_role("article").filter(has_text="not for here")
    await expect(other.get_by_text("not for here")).to_be_visible()

    await message.hover()
    await message.get_by_role("button", name="Delete message").click()
    await snap(page)
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await expect(page.get_by_text("not for here")).to_have_count(0)
    await expect(other.get_by_text("not for here")).to_have_count(0)


async def test_other_peoples_messages_cannot_be_edited(open_page: OpenPage, workspace: Workspace) -> None:
    await workspace.say("U0ADA", "C0GENERAL", "mine")
    page = await open_page("U0BEN")
    message = page.get_by_role("article").filter(has_text="mine")

    await message.hover()

    await expect(message.get_by_role("button", name="Reply in thread")).to_be_visible()
    await expect(message.get_by_role("button", name="Edit message")).to_have_count(0)


async def test_shift_enter_makes_a_new_line(open_page: OpenPage) -> None:
    page = await open_page()

    await _composer(page).press_sequentially("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("article")).to_contain_text("one\ntwo", use_inner_text=True)


async def test_an_empty_channel_invites_to_say_hello(open_page: OpenPage, app: PlainApp, snap: Snap) -> None:
    page = await open_page()
    await snap(page)

    await page.get_by_role("button", name="@Tandem what can you do?").click()

    await expect(_composer(page)).to_have_value("@Tandem what can you do?")
    await expect(_composer(page)).to_be_focused()


async def test_a_mention_is_completed(open_page: OpenPage, app: PlainApp) -> None:
    page = await open_page()

    await _composer(page).press_sequentially("ask @ta")
    await expect(page.get_by_role("option", name="Tandem")).to_be_visible()
    await page.keyboard.press("Enter")

    await expect(_composer(page)).to_have_value("ask @Tandem ")


async def test_a_file_is_dropped_and_sent(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page()
    data = await page.evaluate_handle(
        """() => { const data = new DataTransfer();
                   data.items.add(new File(["a,b\\n1,2\\n"], "numbers.csv", {type: "text/csv"})); return data; }"""
    )

    await page.dispatch_event("main", "dragenter", {"dataTransfer": data})
    await snap(page)
    await page.dispatch_event("main", "drop", {"dataTransfer": data})
    await _composer(page).fill("the numbers")
    await _composer(page).press("Enter")

    message = page.get_by_role("article").filter(has_text="the numbers")
    await expect(message.get_by_text("numbers.csv")).to_be_visible()


async def test_one_becomes_somebody_else(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page()
    await expect(page.get_by_role("button", name="secret, private")).to_be_visible()

    await page.get_by_role("button", name="You are Ada").click()
    await snap(page)
    await page.get_by_role("menuitemradio", name="Gia").click()

    await expect(page.get_by_role("button", name="You are Gia")).to_be_visible()
    await expect(page.get_by_role("button", name="secret, private")).to_have_count(0)
    await _composer(page).fill("a guest's word")
    await _composer(page).press("Enter")
    await expect(page.get_by_role("article").get_by_text("Guest", exact=True)).to_be_visible()


async def test_unread_channels_stand_out(open_page: OpenPage, workspace: Workspace) -> None:
    page = await open_page()
    await expect(_composer(page)).to_be_visible()

    await workspace.say("U0BEN", "C0PRIVATE", "psst @Ada")

    await expect(page.get_by_role("button", name="secret, private, unread")).to_be_visible()


async def test_a_narrow_window_has_a_drawer_and_a_full_thread(
    open_page: OpenPage, workspace: Workspace, app: PlainApp, snap: Snap
) -> None:
    root = await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    page = await open_page(width=390, dark=True)

    await page.get_by_role("button", name="Open sidebar").click()
    await snap(page, "drawer")
    await page.get_by_role("button", name="general", exact=True).click()
    await page.get_by_role("button", name="1 reply").click()

    await expect(page.get_by_role("textbox", name="Reply…")).to_be_visible()
    await expect(_composer(page)).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await snap(page, "thread")
    await page.get_by_role("button", name="Close thread").click()
    await expect(_composer(page)).to_be_visible()


async def test_the_theme_is_toggled_and_remembered(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")

    await page.get_by_role("button", name="Light or dark").click()
    await page.reload()

    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_every_control_is_reached_by_the_keyboard(open_page: OpenPage, workspace: Workspace) -> None:
    await workspace.say("U0ADA", "C0GENERAL", "a message")
    page = await open_page()
    await expect(page.get_by_text("a message")).to_be_visible()
    await page.locator("body").focus()

    reached = set()
    for _ in range(40):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))

    wanted = {"general", "secret, private", "Tandem", "Light or dark", "Messages", "Reply in thread", "Edit message"}
    assert wanted | {"Delete message", "Message #general", "Attach files", "Bold"} <= reached
    unnamed = await page.evaluate(
        """[...document.querySelectorAll("button, input, textarea, select")]
             .filter((node) => !(node.ariaLabel || node.textContent.trim() || node.labels?.length)).length"""
    )
    assert unnamed == 0


async def test_a_file_is_downloaded_by_who_sees_its_message(open_page: OpenPage, workspace: Workspace) -> None:
    files = [{"name": "the numbers.csv", "mimetype": "text/csv", "content_base64": "YSxiCjEsMgo="}]
    await workspace.say("U0BEN", "C0GENERAL", "here", files=files)
    page = await open_page()

    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download the numbers.csv").click()

    download = await downloading.value
    assert download.suggested_filename == "the numbers.csv"
    saved = await download.path()
    assert saved.read_bytes() == b"a,b\n1,2\n"


async def test_a_reaction_is_picked_seen_by_everybody_and_taken_back(
    open_page: OpenPage, workspace: Workspace, snap: Snap
) -> None:
    await workspace.say("U0BEN", "C0GENERAL", "it works")
    page, other = await open_page(), await open_page("U0BEN")
    message = page.get_by_role("article").filter(has_text="it works")

    await message.hover()
    await message.get_by_role("button", name="Add reaction").click()
    await page.keyboard.press("ArrowDown")
    await snap(page)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("group", name="Choose a reaction")).to_have_count(0)
    theirs = other.get_by_role("button", name="1 thinking_face: Ada")
    await expect(theirs).to_be_visible()
    await theirs.click()
    await page.get_by_role("button", name="2 thinking_face: Ada, Ben").click()
    await expect(other.get_by_role("button", name="1 thinking_face: Ben")).to_be_visible()
