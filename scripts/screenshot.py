"""A running playground in, a picture of a question and its answer out.

make run                                   # in one terminal
python scripts/screenshot.py docs/images/answer.png --url http://127.0.0.1:3000
"""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import Browser, Error, Page, async_playwright, expect

COLLEAGUE = {"as": "U0BEN", "channel": "C0GENERAL", "text": "Which model shall we ask about the release notes?"}
QUESTION = "@Tandem show us your models in a table, please"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


async def main() -> int:
    """Ask in #general, open the thread, wait until the answer is complete, and write the picture."""
    options = _parser().parse_args()
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        print(f"screenshot: no browser found; install one of {', '.join(CHROMIUM)}.", file=sys.stderr)
        return 1
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        try:
            page = await _window(browser, options)
        except Error:
            print(f"screenshot: {options.url} does not answer. Is the playground running (make run)?", file=sys.stderr)
            await browser.close()
            return 1
        try:
            await _ask(page, options.question, timeout_ms=options.timeout * 1000)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=options.out)
        except (AssertionError, Error) as error:
            print(f"screenshot: {options.url} gave no finished answer within {options.timeout} s.", file=sys.stderr)
            print(str(error).partition("\n")[0], file=sys.stderr)
            return 1
        finally:
            await browser.close()
    print(options.out)
    return 0


async def _window(browser: Browser, options: argparse.Namespace) -> Page:
    context = await browser.new_context(
        viewport={"width": options.width, "height": options.height},
        device_scale_factor=options.scale,
        color_scheme="dark" if options.dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.request.post(f"{options.url.rstrip('/')}/_/say", data=COLLEAGUE)
    await page.goto(f"{options.url.rstrip('/')}/#/{options.user}/C0GENERAL")
    return page


async def _ask(page: Page, question: str, *, timeout_ms: int) -> None:
    composer = page.get_by_role("textbox", name="Message #general")
    await expect(composer).to_be_visible(timeout=timeout_ms)
    await expect(page.get_by_text("The bot is not connected yet.")).to_be_hidden(timeout=timeout_ms)
    await composer.fill(question)
    await composer.press("Enter")

    root = page.get_by_role("main").get_by_role("article").last
    await (
        root.get_by_role("button", name="View thread")
        .or_(root.get_by_role("button", name="1 reply"))
        .click(timeout=timeout_ms)
    )
    thread = page.get_by_role("region", name="Thread", exact=True).first
    await expect(thread.get_by_role("article")).not_to_have_count(1, timeout=timeout_ms)
    await expect(page.get_by_role("status").filter(has_text="…")).to_have_count(0, timeout=timeout_ms)
    await expect(thread.locator("[aria-busy=true]")).to_have_count(0, timeout=timeout_ms)
    await page.get_by_role("textbox", name="Reply…").focus()
    await page.mouse.move(0, 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Take a picture of a question and its answer in the playground.")
    parser.add_argument("out", type=Path, help="the PNG to write")
    parser.add_argument("--url", default="http://127.0.0.1:3000", help="the playground's page")
    parser.add_argument("--question", default=QUESTION, help="what to ask in #general; mention the bot")
    parser.add_argument("--user", default="U0ADA", help="who asks")
    parser.add_argument("--timeout", type=int, default=180, help="seconds to wait for each step")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=880)
    parser.add_argument("--scale", type=float, default=1.5, help="device pixels to a CSS pixel")
    parser.add_argument("--dark", action="store_true", help="the dark theme")
    return parser


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
