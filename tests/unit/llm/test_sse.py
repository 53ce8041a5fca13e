"""Server-sent events are read however their bytes are cut up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import StreamBroken
from bot.llm.sse import EventStream


def read(*pieces: bytes) -> list[str]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_three_ways(end: str) -> None:
    assert read(f"data: a{end}{end}data:b{end}{end}".encode()) == ["a", "b"]


def test_data_of_several_lines_is_one_event() -> None:
    assert read(b"data: a\ndata\ndata:  b\n\n") == ["a\n\n b"]


def test_comments_and_other_fields_are_no_events() -> None:
    assert read(b": ping\n\nevent: x\nid: 1\nretry: 3\ndatabase: no\n\n\n\ndata: a\n\n") == ["a"]


def test_an_event_without_its_blank_line_is_none() -> None:
    assert read(b"data: whole\n\ndata: half") == ["whole"]
    assert read(b"data: whole\n\ndata: half\n") == ["whole"]


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b"\xef\xbb\xbfdata: a\n\n") == ["a"]


def test_separators_of_unicode_end_no_line() -> None:
    assert read("data: a\u2028b\u0085c\x0bd\n\n".encode()) == ["a\u2028b\u0085c\x0bd"]


def test_bytes_that_are_no_text_break_the_stream() -> None:
    with pytest.raises(StreamBroken):
        read(b"data: \xff\n\n")


def test_a_line_without_end_breaks_the_stream() -> None:
    with pytest.raises(StreamBroken):
        read(*[b"x" * 2**20] * 5)


lines = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6)


@given(st.lists(lines, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_where_the_bytes_are_cut_makes_no_difference(texts: list[str], end: str, data: st.DataObject) -> None:
    whole = "".join(f"data: {text}{end}{end}" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    edges = [0, *cuts, len(whole)]

    assert read(*(whole[start:stop] for start, stop in pairwise(edges))) == texts
