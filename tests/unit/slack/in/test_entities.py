"""A text reads as the person meant it, and to whom it was said is known."""

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.entities import repaired, said

NAMES = {"U0BEN": "Ben", "U0ADA": "Ada <3"}


def read(text: str) -> str:
    return said(text, bot_user_id="U0BOT", name_of=lambda user: NAMES.get(user, "")).text


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<@U0BOT> hello", "hello"),
        ("<@U0BOT|tandem>: hello", "hello"),
        ("hello <@U0BOT>", "hello"),
        ("hey <@U0BOT>, what now?", "hey, what now?"),
        ("hey <@U0BOT> what now?", "hey what now?"),
        ("one\n<@U0BOT> two", "one\ntwo"),
        ("<@U0BOT> <@U0BOT>", ""),
        ("<@U0BOT>", ""),
        ("ask <@U0BEN> or <@U0EVE> or <@U0GIA|gia>", "ask @Ben or @U0EVE or @gia"),
        ("in <#C0QUIET|random> or <#C0QUIET>", "in #random or #C0QUIET"),
        ("<!here> <!channel> <!subteam^S1|@ops> <!subteam^S1>", "@here @channel @ops @S1"),
        ("<!date^1763000000^{date}|13 November>", "13 November"),
        ("<https://example.com/a?b=1&amp;c=2|the page>", "the page (https://example.com/a?b=1&c=2)"),
        ("<https://example.com>", "https://example.com"),
        ("<http://example.com|example.com>", "example.com"),
        ("<http://example.com/|example.com>", "example.com"),
        ("<mailto:ada@example.com|ada@example.com>", "ada@example.com"),
        ("<mailto:ada@example.com>", "ada@example.com"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("`&lt;@U0BEN&gt;`", "`<@U0BEN>`"),
        ("a < b", "a < b"),
        ("   indented", "indented"),
    ],
)
def test_entities_read_as_people_see_them(sent: str, meant: str) -> None:
    assert read(sent) == meant


@pytest.mark.parametrize(
    ("sent", "us", "others"),
    [
        ("hello", False, False),
        ("<@U0BOT> hello", True, False),
        ("<@U0BOT> and <@U0BEN>", True, True),
        ("<@U0BEN|ben> hello", False, True),
        ("<!subteam^S1|@ops> hello", False, True),
        ("<!here> hello", False, False),
        ("&lt;@U0BOT&gt; hello", False, False),
        ("<#U0BOT|x>", False, False),
    ],
)
def test_who_is_spoken_to_is_known(sent: str, us: bool, others: bool) -> None:
    read = said(sent, bot_user_id="U0BOT", name_of=lambda _: "")
    assert (read.mentions_us, read.mentions_others) == (us, others)


@given(st.text())
def test_a_text_that_slack_escaped_reads_as_it_was_typed(typed: str) -> None:
    assert read(html.escape(typed, quote=False)) == typed.strip()


@given(st.text(alphabet="<>@!#|&;ltgampU0BOTEN: \n\ud800\u20ac"))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    read(repaired(text)).encode()


def test_half_characters_are_joined_or_replaced() -> None:
    assert repaired("a\ud83d\ude00b") == "a😀b"
    assert repaired("a\ud83db") == "a\ufffdb"
    assert repaired("plain") == "plain"


def test_reading_takes_time_in_proportion_to_length() -> None:
    started = time.perf_counter()
    for hostile in ("<" * 200_000, "<@" * 100_000, " " * 200_000 + "<@U0BOT>", "<@U0BOT>" * 20_000, "&lt" * 70_000):
        read(hostile)
    assert time.perf_counter() - started < 5
