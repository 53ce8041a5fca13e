"""What the page shows to developers: each event and call on the Wire, and the bot's mirror beside the thread."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import OpenPage, Snap, windows
from tests.doubles.plain_app import PlainApp
from tests.doubles.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Events and calls").get_by_role("listitem").filter(has_text=name)


async def test_the_wire_shows_what_passed_and_what_passes_with_bodies(
    open_page: OpenPage, workspace: Workspace, app: PlainApp, snap: Snap
) -> None:
    root = await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    page = await open_page()

    await page.get_by_role("button", name="Wire").click()

    await expect(page).to_have_url(f"{workspace.url}/#/U0ADA/wire")
    mention = _row(page, "app_mention")
    await expect(mention.get_by_text("to the app", exact=True)).to_have_count(1)
    await expect(mention).to_contain_text("acked")
    await expect(_row(page, "chat.startStream")).to_contain_text("from the app")

    await workspace.react("U0BEN", "C0GENERAL", root, "eyes")
    await workspace.command("U0ADA", "C0GENERAL", "/model", "gemini")
    await expect(_row(page, "/model gemini")).to_contain_text("command")

    await mention.get_by_role("button").click()
    await expect(mention.get_by_role("region", name="Payload")).to_contain_text('"type": "app_mention"')
    await expect(mention.get_by_role("region", name="Payload")).to_contain_text('"token": "…"')
    await expect(mention).to_contain_text("1. acked")
    call = _row(page, "chat.startStream")
    await call.get_by_role("button").click()
    await expect(call.get_by_role("region", name="Arguments")).to_contain_text('"recipient_user_id": "U0ADA"')
    await expect(call.get_by_role("region", name="Answer · HTTP 200")).to_contain_text('"ok": true')
    await snap(page)

    await page.get_by_role("button", name="Workspace").click()
    await expect(page.get_by_role("textbox", name="Message #general")).to_be_visible()


async def test_the_wire_has_an_address_a_filter_and_a_pause(
    open_page: OpenPage, workspace: Workspace, app: PlainApp, snap: Snap
) -> None:
    page = await open_page()
    await page.goto(f"{workspace.url}/#/wire")
    await page.reload()
    await expect(_row(page, "apps.connections.open")).to_be_visible()

    await page.get_by_role("button", name="Pause").click()
    root = await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
    await workspace.reply("C0GENERAL", root)
    await expect(page.get_by_text("Paused; ")).to_be_visible()
    await expect(_row(page, "chat.startStream")).to_have_count(0)
    await page.get_by_role("button", name="Resume").click()
    await expect(_row(page, "chat.startStream")).to_be_visible()

    await page.get_by_role("searchbox", name="Filter").fill("appendstream retry-after")
    await expect(_row(page, "")).to_have_count(1)
    await snap(page, "filtered")
    await page.get_by_role("searchbox", name="Filter").fill("no such word")
    await expect(page.get_by_text("fits this filter")).to_be_visible()


async def test_the_wire_tells_what_failed_and_what_nobody_heard(
    open_page: OpenPage, workspace: Workspace, snap: Snap
) -> None:
    page = await open_page("U0ADA", "wire")
    await workspace.trouble(timing={"retry_delays_s": [0.1]})
    await workspace.say("U0ADA", "C0GENERAL", "is anybody there? @Tandem")
    await expect(_row(page, "app_mention")).to_contain_text("lost after 2")

    await workspace.trouble(
        fail=[{"method": "chat.startStream", "kind": "error", "error": "ratelimited", "retry_after": 7}],
        timing={"retry_delays_s": [0.0]},
    )
    async with PlainApp(workspace.api_url):
        await workspace.say("U0ADA", "C0GENERAL", "@Tandem how do I wait?")
        await expect(_row(page, "chat.startStream").filter(has_text="ratelimited")).to_be_visible()
    await snap(page)


async def test_the_wire_keeps_the_newest_five_hundred(open_page: OpenPage, workspace: Workspace) -> None:
    page = await open_page("U0ADA", "wire")
    await expect(page.get_by_text("Nothing has passed yet.")).to_be_visible()
    await workspace.trouble(timing={"retry_delays_s": []})

    for start in range(0, 520, 40):
        await asyncio.gather(*(workspace.say("U0BEN", "C0GENERAL", f"message {n}.") for n in range(start, start + 40)))

    await expect(_row(page, "message 519.")).to_be_visible()
    await expect(_row(page, "")).to_have_count(500)
    await expect(_row(page, "message 0.")).to_have_count(0)


@pytest_asyncio.fixture(loop_scope="session")
async def mirror() -> AsyncIterator[dict[str, Any]]:
    """What a bot's mirror answers, to be changed by a test; `url` is where."""
    answer: dict[str, Any] = {"ok": True, "thread": None, "messages": [], "open_turns": []}

    async def show(request: web.Request) -> web.Response:
        return web.json_response({name: value for name, value in answer.items() if name != "url"})

    app = web.Application()
    app.router.add_get("/inspect", show)
    async with TestServer(app) as server:
        answer["url"] = str(server.make_url("/inspect"))
        yield answer


async def test_the_store_is_beside_the_thread_and_renewed_as_it_changes(
    browser: Browser, mirror: dict[str, Any], snap: Snap
) -> None:
    async with Workspace(options=["--inspect", mirror["url"]]) as workspace, windows(browser) as open_:
        root = await workspace.say("U0ADA", "C0GENERAL", "what is kept?")
        page = await open_(workspace.url, "U0ADA", f"C0GENERAL/{root}")

        await page.get_by_role("button", name="Store", exact=True).click()
        store = page.get_by_role("complementary", name="Store")
        await expect(store.get_by_text("The bot keeps nothing of this thread.")).to_be_visible()
        assert page.url.endswith(f"/{root}/store")

        kept = {"ts": root, "role": "user", "name": "Ada", "text": "what is kept?", "turn_id": "t1", "usage": None}
        mirror["messages"] = [kept]
        mirror["thread"] = {"key": f"C0GENERAL:{root}", "model_id": "gemma"}
        mirror["open_turns"] = [{"id": "t1", "state": "running"}]
        await workspace.say("U0BEN", "C0GENERAL", "this", root)
        await expect(store.get_by_role("listitem").filter(has_text="what is kept?")).to_be_visible()
        await expect(store.get_by_text("running")).to_be_visible()
        await expect(page.get_by_role("region", name="Thread", exact=True).get_by_text("what is kept?")).to_be_visible()
        await snap(page)

        mirror["open_turns"] = []
        await expect(store.get_by_text("running")).to_have_count(0)
        mirror |= {"ok": False, "error": "store_down"}
        await workspace.say("U0BEN", "C0GENERAL", "and this", root)
        await expect(store.get_by_text("store_down")).to_be_visible()
        await snap(page, "refused")
        await store.get_by_role("button", name="Close store").click()
        await expect(store).to_be_hidden()


async def test_without_a_mirror_no_store_is_offered(open_page: OpenPage, workspace: Workspace) -> None:
    root = await workspace.say("U0ADA", "C0GENERAL", "what is kept?")
    page = await open_page("U0ADA", f"C0GENERAL/{root}/store")

    await expect(page.get_by_role("textbox", name="Reply…")).to_be_visible()
    await expect(page.get_by_role("button", name="Store", exact=True)).to_have_count(0)
    await expect(page.get_by_role("complementary", name="Store")).to_have_count(0)
