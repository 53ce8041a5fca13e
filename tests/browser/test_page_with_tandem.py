"""The real bot on the page, from a question to its answer: asked, followed up, switched, stopped, edited, refused."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import OpenPage, Snap, windows
from tests.doubles.gemini_server import GeminiServer, gemini_server, part, says, stream
from tests.doubles.tandem import serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from tests.e2e.conftest import free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")


DEMO = re.compile(r"Demo \(no AI\) · \d")  # the footer of its answers
LONG = stream(*(part(f"word{n} ") for n in range(400)), pause_s=0.05)


@dataclass(frozen=True, slots=True)
class Team:
    """A playground with the real bot in it: the demo answers, and Gemini for whom chooses it."""

    workspace: Workspace
    gemini: GeminiServer


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    path, port = tmp_path_factory.mktemp("team"), free_port()
    inspect = ["--inspect", f"http://127.0.0.1:{port}/inspect"]
    async with gemini_server() as gemini, Workspace(options=inspect) as workspace:
        environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": workspace.api_url,
            "PORT": str(port),
            "TANDEM_DEFAULT_MODEL": "demo",
            "TANDEM_INSPECT": "1",
            "TANDEM_STORE": f"sqlite:///{path / 'tandem.db'}",
            **_google(gemini, path),
        }
        async with serving(environment, path / "tandem.log"):
            await workspace.connected()
            yield Team(workspace, gemini)


def _google(gemini: GeminiServer, path: Path) -> dict[str, str]:
    return {
        "GOOGLE_CLOUD_PROJECT": "a-project",
        "GOOGLE_VERTEX_BASE_URL": gemini.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(gemini.write_credentials(path / "credentials.json")),
    }


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, team: Team) -> AsyncIterator[OpenPage]:
    async with windows(browser) as open_:
        yield partial(open_, team.workspace.url)


async def _write(page: Page, text: str, *, box: str = "Message #general") -> None:
    composer = page.get_by_role("textbox", name=box)
    await composer.fill(text)
    await composer.press("Enter")


def _thread(page: Page) -> Locator:
    return page.get_by_role("region", name="Thread", exact=True).first


async def test_a_question_is_answered_followed_up_and_kept(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page()

    await _write(page, "@Tandem show me a table")
    thread = _thread(page)
    await expect(thread.get_by_text(DEMO)).to_be_visible()
    await expect(thread.get_by_role("table")).to_be_visible()
    await _write(page, "and some code", box="Reply…")
    await expect(thread.locator("pre")).to_be_visible()
    await expect(thread.get_by_text(DEMO)).to_have_count(2)
    await snap(page)

    await page.get_by_role("button", name="Store", exact=True).click()
    stored = page.get_by_role("complementary", name="Store").get_by_role("listitem")
    await expect(stored.filter(has_text="some code").first).to_be_visible()
    await expect(stored).to_have_count(4)
    await snap(page, "store")


async def test_the_model_is_chosen_by_command_by_menu_and_in_the_thread(
    open_page: OpenPage, team: Team, snap: Snap
) -> None:
    team.gemini.script(says("Gemini it is."), says("Still Gemini."))
    page = await open_page("U0BEN", "C0PRIVATE")

    await _write(page, "/model gemini", box="Message #secret")
    await expect(page.get_by_role("article")).to_contain_text("Ben chose Gemini 3.8 Flash for this channel.")
    await snap(page, "command")
    await _write(page, "@Tandem who are you?", box="Message #secret")
    thread = _thread(page)
    await expect(thread.get_by_role("article").filter(has_text="Gemini it is.")).to_be_visible()

    menu = thread.get_by_role("combobox").last
    await expect(menu).to_be_visible()
    await menu.select_option(label="Demo (no AI)")
    await expect(thread.get_by_role("article").last).to_contain_text("Demo")
    await _write(page, "and now?", box="Reply…")
    await expect(thread.get_by_role("article").filter(has_text="not an AI")).to_be_visible()
    await snap(page, "menu")

    await _write(page, "!model gemini", box="Reply…")
    await expect(thread.get_by_role("article").last).to_contain_text("Gemini")
    await _write(page, "and again?", box="Reply…")
    await expect(thread.get_by_role("article").filter(has_text="Still Gemini.")).to_be_visible()
    await snap(page, "thread")


async def test_an_answer_is_watched_reloaded_and_stopped_by_slacks_own_button(
    open_page: OpenPage, team: Team, snap: Snap
) -> None:
    team.gemini.script(LONG)
    await team.workspace.command("U0ADA", "D0ADA", "/model", "gemini")
    page = await open_page("U0ADA", "D0ADA")
    await _write(page, "a long story, please", box="Start a conversation with Tandem")
    answer = _thread(page).get_by_role("article").filter(has_text="word0 word1")
    await expect(answer).to_be_visible()
    await snap(page, "streaming")

    await page.reload()
    await expect(answer).to_contain_text("word20")
    await page.get_by_role("button", name="Stop Tandem").click()

    await expect(page.get_by_role("button", name="Stop Tandem")).to_be_hidden()
    await expect(answer).to_contain_text("topped")
    assert "word399" not in await answer.inner_text()
    await snap(page, "stopped")


async def test_what_is_edited_and_deleted_on_the_page_is_so_in_the_mirror(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page("U0BEN", "D0BEN")
    await _write(page, "the password is tulip", box="Start a conversation with Tandem")
    thread = _thread(page)
    await expect(thread.get_by_text(DEMO)).to_be_visible()
    await page.get_by_role("button", name="Store", exact=True).click()
    store = page.get_by_role("complementary", name="Store")
    await expect(store.get_by_role("listitem").filter(has_text="tulip").first).to_be_visible()

    question = thread.get_by_role("article").filter(has_text="the password is").first
    await question.hover()
    await question.get_by_role("button", name="Edit message").click()
    await thread.get_by_role("textbox", name="Edit message").fill("the password is secret")
    await page.keyboard.press("Enter")

    await expect(store.get_by_role("listitem").first).to_contain_text("the password is secret")
    await expect(store.get_by_role("listitem").first).to_contain_text("edited_ts")
    await snap(page)

    await _write(page, "forget the orchid", box="Reply…")
    await expect(thread.get_by_text(DEMO)).to_have_count(2)
    aside = thread.get_by_role("article").filter(has_text="forget the orchid").first
    await aside.hover()
    await aside.get_by_role("button", name="Delete message").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    kept = store.locator(".stored-user")
    await expect(kept.filter(has_text="the password is secret")).to_have_count(1)
    await expect(kept.filter(has_text="orchid")).to_have_count(0)


async def test_the_apps_home_is_the_bots_and_its_menu_works(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page("U0BEN", "D0BEN")

    await page.get_by_role("button", name="Home").click()
    home = page.get_by_role("region", name="Home")
    await expect(home.get_by_role("heading", name="Your model")).to_be_visible()
    await home.get_by_role("combobox").select_option(label="Gemini 3.5 Flash-Lite")

    await expect(home).to_contain_text("Gemini 3.5 Flash-Lite answers here")
    await snap(page)
    await home.get_by_role("combobox").select_option(label="Demo (no AI)")
    await expect(home).to_contain_text("Demo (no AI) answers here")


async def test_a_guest_is_refused_what_only_members_may(open_page: OpenPage, snap: Snap) -> None:
    page = await open_page("U0EVE", "C0GENERAL")

    await _write(page, "/model gemini")

    told = page.get_by_role("article").filter(has_text="Only visible to you")
    await expect(told).to_be_visible()
    await snap(page)
    assert "guest" in (await told.inner_text()).lower()
