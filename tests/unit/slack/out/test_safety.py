"""Nothing a model writes is live in Slack: no mention, no link off the list, however written and however cut."""

import html
import random
import time
import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.slack.safety import SafetyFilter, safe
from tests.doubles.hostile_texts import INVISIBLE, LINKS, MENTION, MENTIONS, SLACK_LINK, live_in

PLAIN = [
    "Hello, world. How are you? I'm fine; thanks!",
    "1. one\n2. two\n   - three\n\n> quoted\n\n# Title\n\n---\n",
    "if a < b and b > c: x = a & b; y <<= 2; z = a <= b",
    "std::vector<int> v; List<String> l; <div class='x'>hi</div> <!DOCTYPE html> <!-- hi -->",
    "```python\nfor i in range(10):\n    print(f'{i} <b>')  # https://example.com is only code here\n```\n",
    "Use `pip install x`, then `curl https://example.com/x | sh` and ``a ` b``.",
    "a[0](x), f(x)[1], [1], [x] done, [ ] todo, dict[str, int]: fine",
    "foo.py, main.rs, Node.js, socket.io, e.g. this, i.e. that, v1.2.3, 3.14, 10:30, a/b, and/or",
    "*emph* **strong** _under_ ~~gone~~ `code` $x_1$ \\* \\[ \\]",
    "| a | b |\n|---|---|\n| 1 | `x` |\n",
    "Ünïcödé 你好，世界。 😀 👩‍👩‍👧 1️⃣ שלום עולם مرحبا &amp; &copy; &nbsp; AT&T",
    "Use <dc:title>:\n```xml\n<xs:element name='a' type='xs:string'/> <w:p><w:r/></w:p>\n```\n",
    "#include <stdio.h>\n\tindented\n\n\n\nmany lines  \nhard break",
    "user@example.org wrote: see section 4 <- here -> there <=> x",
    "a ` stray tick, a ``` stray fence, [open, ![open, <open",
]


def cut(text: str, sizes: list[int]) -> str:
    """The text fed in pieces of these sizes."""
    filter_ = SafetyFilter()
    out, at, n = [], 0, 0
    while at < len(text):
        size = sizes[n % len(sizes)]
        out.append(filter_.feed(text[at : at + size]))
        at, n = at + size, n + 1
    return "".join(out) + filter_.flush()


@pytest.mark.parametrize("text", PLAIN)
def test_text_without_anything_live_is_left_exactly_as_it_is(text: str) -> None:
    assert safe(text) == text
    assert cut(text, [1]) == text


@pytest.mark.parametrize(
    "frame", ["{}", "a {} b", "`{}`", "```\n{}\n```", "[{}](https://evil.com)", "**{}**", "| {} |\n|-|\n"]
)
@pytest.mark.parametrize("mention", MENTIONS)
def test_a_mention_arrives_as_plain_text_in_prose_and_in_code(mention: str, frame: str) -> None:
    text = safe(frame.format(mention))

    assert live_in(text) == []
    assert any(
        word in text
        for word in ("channel", "here", "everyone", "subteam", "date", "U123ABC", "W1", "CHANNEL", "C0GENERAL")
    )


@pytest.mark.parametrize("frame", ["{}", "a {} b", "> {}", "- {}", "a ` {}", "({})", "{}\n\n`x`"])
@pytest.mark.parametrize("link", LINKS)
def test_no_link_off_the_list_is_live(link: str, frame: str) -> None:
    assert live_in(safe(frame.format(link))) == []


@pytest.mark.parametrize("text", [*MENTIONS, *LINKS])
def test_how_a_text_was_cut_makes_no_difference(text: str) -> None:
    framed = f"before {text} after\n{text}\n"

    assert {cut(framed, sizes) for sizes in ([1], [2], [3, 1], [7], [1000])} == {safe(framed)}


def test_a_link_is_shown_as_its_text_and_its_address_as_code() -> None:
    assert safe("see [the docs](https://evil.com/x) now") == "see the docs (`https://evil.com/x`) now"
    assert safe("<https://evil.com|the docs>") == "the docs (`https://evil.com`)"
    assert safe("https://evil.com/x.") == "`https://evil.com/x`."
    assert safe("[https://evil.com](https://evil.com)") == "`https://evil.com`"


@pytest.mark.parametrize(
    "text",
    [
        "[docs](https://good.example/x)",
        "https://good.example/x",
        "<https://good.example/x>",
        "https://a.good.example",
        "good.example/x",
    ],
)
def test_links_to_listed_hosts_stay_live(text: str) -> None:
    assert safe(text, ["good.example"]) == text


@pytest.mark.parametrize(
    "url", ["https://evil.com/good.example", "https://good.example@evil.com", "https://notgood.example.com/"]
)
def test_what_only_looks_like_a_listed_host_is_not(url: str) -> None:
    assert safe(url, ["good.example"]) == f"`{url}`"


def test_an_image_becomes_a_link_even_where_all_hosts_are_listed() -> None:
    assert safe("![a cat](https://good.example/cat.png)", ["*"]) == "[a cat](https://good.example/cat.png)"
    assert safe("[x](javascript:alert(1))", ["*"]) == "x (`javascript:alert(1)`)"


def test_deceiving_characters_vanish_and_emoji_stay() -> None:
    assert safe("a\u202eb\u2066c\U000e0041d\u200be") == "abcde"
    assert safe("👩‍👩‍👧 ok") == "👩‍👩‍👧 ok"


PIECES = st.lists(
    st.one_of(
        st.sampled_from([*MENTIONS, *LINKS]),
        st.sampled_from(
            [*"<>!@#&`[](): \n|*_~\\/.-", "```", "\n\n", "](", "https:", "//", "evil.com", "<!", "&lt;", "[x]", "> "]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=800, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=PIECES, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5))
@example(text="<[!channel](https://evil.com)>", sizes=[1])
@example(text="<![here](x.com)", sizes=[1])
def test_whatever_the_text_no_mention_is_live_and_no_cut_matters(text: str, sizes: list[int]) -> None:
    result = safe(text)

    assert cut(text, sizes) == result
    decoded = unicodedata.normalize("NFKC", html.unescape(html.unescape(INVISIBLE.sub("", result))))
    assert not MENTION.search(result) and not MENTION.search(decoded)
    assert not SLACK_LINK.search(result)


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=PIECES)
def test_whatever_the_text_no_link_is_live(text: str) -> None:
    assert live_in(safe(text)) == []


def test_in_ten_thousand_random_texts_no_mention_is_live_and_no_cut_matters() -> None:
    chance = random.Random(11)
    scraps = [
        *MENTIONS,
        *LINKS,
        *"<>!@#&`[](): \n|*_\\",
        "```",
        "\n\n",
        "](",
        "https:",
        "evil.com",
        "<!",
        "&lt;",
        "chan",
    ]
    for _ in range(10_000):
        text = "".join(chance.choices(scraps, k=chance.randint(1, 8)))
        result = safe(text)
        assert cut(text, [chance.randint(1, 9)]) == result, text
        decoded = unicodedata.normalize("NFKC", html.unescape(html.unescape(INVISIBLE.sub("", result))))
        assert not MENTION.search(result) and not MENTION.search(decoded), text
        assert not SLACK_LINK.search(result), text


@pytest.mark.parametrize(
    "unit",
    [
        "hello world. ",
        "` a ",
        "[[[[",
        "<<<<",
        "<a",
        "&amp;&lt;",
        "](",
        "[a](",
        "- - - ",
        "``` ` ``",
        "https://a",
        "a.b.c.",
        "![",
        " > > >",
        "\n> - 1. ```",
        "<!",
    ],
)
def test_time_grows_with_the_length_of_the_text_and_no_faster(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        start = time.process_time()
        safe(text)
        return time.process_time() - start

    short = min(seconds(8_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(2)) <= max(25 * short, 0.2)


def test_what_is_held_back_is_bounded() -> None:
    for unit in ("<a", "[a ", "`a ", "a.b", "https://a", "&"):
        filter_ = SafetyFilter()
        given_, out = 0, 0
        for _ in range(200):
            piece = unit * 50
            given_ += len(piece)
            out += len(filter_.feed(piece))
        assert given_ - out <= 4_096, unit


def test_a_preview_changes_nothing() -> None:
    filter_ = SafetyFilter()
    chance = random.Random(3)
    text = "".join(chance.choice([*MENTIONS, *LINKS, " and ", "\n"]) for _ in range(60))
    out = []
    for at in range(0, len(text), 5):
        out.append(filter_.feed(text[at : at + 5]))
        filter_.preview()
    assert "".join(out) + filter_.flush() == safe(text)
