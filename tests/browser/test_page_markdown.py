"""What models and people write in, what the page makes of it out: never markup of their own, always readable."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Path(__file__).parents[2] / "playground" / "page"
ORIGIN = "http://127.0.0.1:9"  # nothing listens there: the files come from the route below
TIME = """async ([draw, given]) => {
  const from = performance.now();
  await eval(draw)(["markdown", given]);
  return performance.now() - from;
}"""
DRAW = """async ([dialect, text]) => {
  const {markdown, mrkdwn} = await import("/markdown.js");
  const people = {U0ADA: "Ada", U0BEN: "Ben"};
  const names = {me: "U0ADA", user: (id) => people[id] ?? id, channel: (id) => ({C0GENERAL: "general"})[id]};
  const frame = document.createElement("div");
  frame.append(...(dialect === "markdown" ? markdown : mrkdwn)(text, names));
  frame.querySelectorAll("svg, button").forEach((node) => node.remove());
  for (const node of frame.querySelectorAll("*")) {
    const others = [...node.attributes].filter(({name}) => !["href", "class", "start"].includes(name));
    for (const {name} of others) node.removeAttribute(name);
  }
  return frame.innerHTML;
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def blank(browser: Browser) -> AsyncIterator[Page]:
    """An empty page that can import the page's modules."""

    async def serve(route: Route) -> None:
        file = PAGE / route.request.url.removeprefix(ORIGIN).lstrip("/")
        if file.is_file():
            await route.fulfill(path=file, content_type="text/javascript")
        else:
            await route.fulfill(body="<!doctype html><title>blank</title>", content_type="text/html")

    page = await browser.new_page()
    await page.route(f"{ORIGIN}/**", serve)
    await page.goto(f"{ORIGIN}/blank")
    yield page
    await page.close()


async def _check(page: Page, dialect: str, cases: dict[str, str]) -> None:
    drawn = {text: await page.evaluate(DRAW, [dialect, text]) for text in cases}
    assert drawn == cases


async def test_inline_marks_nest_and_leave_words_alone(blank: Page) -> None:
    await _check(
        blank,
        "markdown",
        {
            "**bold** and *it* and ~~no~~": "<p><strong>bold</strong> and <em>it</em> and <s>no</s></p>",
            "***both***": "<p><strong><em>both</em></strong></p>",
            "**a *b* c**": "<p><strong>a <em>b</em> c</strong></p>",
            "*a **b** c*": "<p><em>a <strong>b</strong> c</em></p>",
            "snake_case_name, 2 * 3 * 4, __init__.py": "<p>snake_case_name, 2 * 3 * 4, <strong>init</strong>.py</p>",
            "`a ** b` and ``c ` d``": "<p><code>a ** b</code> and <code>c ` d</code></p>",
            r"\*not\* \_this\_": "<p>*not* _this_</p>",
            "**never closed": "<p>**never closed</p>",
            "one\ntwo": "<p>one<br>two</p>",
            "a &lt;b&gt; &amp; c": "<p>a &lt;b&gt; &amp; c</p>",
        },
    )


async def test_markup_in_text_stays_text(blank: Page) -> None:
    await _check(
        blank,
        "markdown",
        {
            "<script>alert(1)</script>": "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
            "<img src=x onerror=alert(1)>": "<p>&lt;img src=x onerror=alert(1)&gt;</p>",
            "[x](javascript:alert(1))": "<p><span>x</span></p>",
            "[x](data:text/html,hi)": "<p><span>x</span></p>",
            "<javascript:alert(1)|x>": "<p>&lt;javascript:alert(1)|x&gt;</p>",
            "```\n</code><b>\n```": '<div class="code-block"><pre><code>&lt;/code&gt;&lt;b&gt;</code></pre></div>',
        },
    )


async def test_links_are_made_of_web_addresses_only(blank: Page) -> None:
    await _check(
        blank,
        "markdown",
        {
            "[a **b**](https://x.test/a_(b))": '<p><a href="https://x.test/a_(b)">a <strong>b</strong></a></p>',
            '[t](https://x.test "title")': '<p><a href="https://x.test">t</a></p>',
            "see https://x.test/a_b_c, ok": '<p>see <a href="https://x.test/a_b_c">https://x.test/a_b_c</a>, ok</p>',
            "(https://x.test)": '<p>(<a href="https://x.test">https://x.test</a>)</p>',
            "![alt](https://x.test/i.png)": '<p><a href="https://x.test/i.png">alt</a></p>',
            "<https://x.test|here>": '<p><a href="https://x.test">here</a></p>',
            "<mailto:a@x.test|mail>": '<p><a href="mailto:a@x.test">mail</a></p>',
        },
    )


async def test_slacks_own_tokens_are_shown_as_names(blank: Page) -> None:
    await _check(
        blank,
        "mrkdwn",
        {
            "<@U0BEN>, <@U0ADA>": (
                '<p><span class="mention">@Ben</span>, <span class="mention mention-me">@Ada</span></p>'
            ),
            "<#C0GENERAL|general>": '<p><span class="mention">#general</span></p>',
            "<!here> hi": '<p><span class="mention mention-me">@here</span> hi</p>',
            "&lt;@U0BEN&gt;": "<p>&lt;@U0BEN&gt;</p>",
        },
    )


async def test_mrkdwn_has_its_own_marks(blank: Page) -> None:
    await _check(
        blank,
        "mrkdwn",
        {
            "*bold* _it_ ~no~ `c`": "<p><strong>bold</strong> <em>it</em> <s>no</s> <code>c</code></p>",
            "**two** [a](b)": "<p>**two** [a](b)</p>",
            "a*b*c 2*3*4": "<p>a*b*c 2*3*4</p>",
            "&gt; quoted\nnot": "<blockquote>quoted</blockquote><p>not</p>",
            "a\n```\n&lt;\n```\nb": '<p>a</p><div class="code-block"><pre><code>&lt;</code></pre></div><p>b</p>',
        },
    )


async def test_blocks_are_recognised(blank: Page) -> None:
    await _check(
        blank,
        "markdown",
        {
            "# Title\n### Less": '<h3 class="md-title">Title</h3><h3 class="md-heading">Less</h3>',
            "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
            "> a\n> b\n\nc": "<blockquote><p>a<br>b</p></blockquote><p>c</p>",
            "- a\n- b\n  - c\n- d": (
                "<ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul></li><li><p>d</p></li></ul>"
            ),
            "3. a\n4. b": '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol>',
            "1. a\n\n   b\n\n2. c": "<ol><li><p>a</p><p>b</p></li><li><p>c</p></li></ol>",
            "- a\n\n- b\n\ntext": "<ul><li><p>a</p></li><li><p>b</p></li></ul><p>text</p>",
            "- [x] done\n- [ ] open": (
                '<ul><li class="task"><span class="task-box done"></span><div><p>done</p></div></li>'
                '<li class="task"><span class="task-box"></span><div><p>open</p></div></li></ul>'
            ),
            "```py\na = 1\n\nb = 2\n```\nafter": (
                '<div class="code-block"><span class="code-language">py</span>'
                "<pre><code>a = 1\n\nb = 2</code></pre></div><p>after</p>"
            ),
            "1. a\n   ```\n   x\n   ```\n2. b": (
                '<ol><li><p>a</p><div class="code-block"><pre><code>x</code></pre></div></li><li><p>b</p></li></ol>'
            ),
            "|a|b|\n|-|-:|\n|1|2 \\| 3|": (
                '<div class="table-frame"><table>'
                '<thead><tr><th class="align-left">a</th><th class="align-right">b</th></tr></thead>'
                '<tbody><tr><td class="align-left">1</td><td class="align-right">2 | 3</td></tr></tbody></table></div>'
            ),
        },
    )


async def test_text_that_is_still_being_written_reads_well(blank: Page) -> None:
    await _check(
        blank,
        "markdown",
        {
            "```py\na = 1": (
                '<div class="code-block"><span class="code-language">py</span><pre><code>a = 1</code></pre></div>'
            ),
            "- a\n-": "<ul><li><p>a</p></li><li></li></ul>",
            "see [docs](https://x.te": '<p>see [docs](<a href="https://x.te">https://x.te</a></p>',
            "": "",
        },
    )


ODD = {
    "stars": "*a " * 4000,
    "brackets": "[" * 12_000,
    "pairs": "[](" * 4000,
    "ticks": "`a``" * 3000,
    "quotes": "> " * 6000,
    "items": "- a\n" * 3000,
    "angles": "<" * 12_000,
    "mixed": "**a*_" * 2400,
    "nested": "".join("  " * n + "- a\n" for n in range(140)),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
async def test_twelve_thousand_odd_characters_are_drawn_quickly(blank: Page, text: str) -> None:
    await blank.evaluate(DRAW, ["markdown", "warm"])

    taken_ms = await blank.evaluate(TIME, [DRAW, text])

    assert taken_ms < 1000
