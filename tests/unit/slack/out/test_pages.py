"""A long text is cut where a reader would pause, code stays code across the cut, and no character is lost."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.fences import fence_left_open
from bot.slack.pages import Pages, cut_at
from bot.slack.tables import TableFilter, aligned

TABLE = "| Name | Age |\n|------|----:|\n| Ada | 36 |\n| Грейс | 85 |\n"


def pages_of(text: str, most: int, *, by: int = 7) -> list[str]:
    """The pages of a text that comes in pieces."""
    pages = Pages(most)
    for at in range(0, len(text), by):
        pages.add(text[at : at + by])
    return pages.texts


def tables_in(text: str, *, by: int = 5) -> str:
    """The text that came out of the table filter."""
    filter_ = TableFilter()
    out = [filter_.feed(text[at : at + by]) for at in range(0, len(text), by)]
    return "".join(out) + filter_.flush()


def test_a_text_that_fits_is_one_page() -> None:
    assert pages_of("short", 100) == ["short"]


def test_a_cut_is_at_a_paragraph_else_a_line_else_a_sentence_else_a_word() -> None:
    for text, cut in (
        ("one two. three\nfour\n\nfive six", 21),
        ("one two three. four five six\nseven eight nine", 29),
        ("one two three. four five. six seven eight nine", 26),
        ("one two three four five six seven eight nine", 40),
        ("x" * 60, 40),
    ):
        assert cut_at(text, floor=0, limit=40) == cut, text


def test_code_is_closed_at_the_cut_and_opened_again_with_its_language() -> None:
    first, second = pages_of("Look:\n\n```python\n" + "x = 1\n" * 40 + "```\nDone.", 200)

    assert first.endswith("x = 1\n```")
    assert second.startswith("```python\nx = 1\n")
    assert fence_left_open(first) is None and fence_left_open(second) is None


def test_code_inside_a_list_is_closed_and_opened_with_its_indentation() -> None:
    first, second = pages_of("- item\n  ```sh\n" + "  ls -l\n" * 40 + "  ```\n", 200)

    assert first.endswith("  ls -l\n  ```")
    assert second.startswith("  ```sh\n  ls -l\n")


def test_a_cut_is_rather_before_a_table_than_in_it() -> None:
    first, second = pages_of("lorem ipsum " * 12 + "\n" + TABLE * 2, 200)

    assert "|" not in first
    assert second.startswith("| Name")


def test_what_people_have_read_stays_on_its_page() -> None:
    pages = Pages(100)
    pages.add("a" * 80 + "\n\n" + "b" * 10)
    pages.add("c" * 50, shown=90)

    assert pages.texts[0].startswith("a" * 80 + "\n\n" + "b" * 8)


@settings(max_examples=500, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["word ", "sentence. ", "line\n", "\n\n", "longword" * 12, "- item\n", "> q\n", "é😀"])
    ),
    most=st.integers(20, 200),
)
def test_the_pages_put_together_are_the_text(pieces: list[str], most: int) -> None:
    text = "".join(pieces)

    pages = pages_of(text, most)

    assert "".join(pages) == text
    assert all(len(page) <= most for page in pages)


@settings(max_examples=500, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["word ", "line\n", "\n```py\n", "code()\n", "\n```\n", "\n~~~\n", "\n\n"]), max_size=60
    ),
    most=st.integers(60, 200),
)
def test_code_stays_code_across_every_cut(pieces: list[str], most: int) -> None:
    text = "".join(pieces)

    pages = pages_of(text, most)

    fences = re.compile(r"^(```|~~~)(py)?\n?", re.MULTILINE)
    assert fences.sub("", "\n".join(pages)).replace("\n", "") == fences.sub("", text).replace("\n", "")
    assert all(fence_left_open(page) is None for page in pages[:-1])


def test_the_first_table_stays_a_table() -> None:
    text = f"Look:\n\n{TABLE}\nDone."

    assert tables_in(text) == text


def test_later_tables_become_code_with_aligned_columns() -> None:
    text = tables_in(f"{TABLE}\nand\n\n{TABLE}\nDone.")

    assert text.startswith(TABLE)
    assert text.endswith("\n```\nName   Age\n-----  ---\nAda    36\nГрейс  85\n```\n\nDone.")
    assert text.count("|------|") == 1


def test_a_table_that_is_too_wide_becomes_code_and_one_that_is_too_long_goes_on_as_code() -> None:
    wide = "|" + "a|" * 21 + "\n|" + "-|" * 21 + "\n|" + "1|" * 21 + "\n"
    assert "|" not in tables_in(wide)

    long = "| n |\n|---|\n" + "".join(f"| {n} |\n" for n in range(150))
    text = tables_in(long)
    assert text.count("|\n") == 101  # the header, its rule, and 99 rows
    assert text.endswith("\n149\n```\n")
    assert re.findall(r"\d+", text) == [str(n) for n in range(150)]


def test_bars_in_code_are_no_table() -> None:
    text = f"{TABLE}\n```\n| a | b |\n|---|---|\n```\n"

    assert tables_in(text) == text


def test_a_second_table_without_leading_bars_is_left_as_text() -> None:
    assert tables_in(f"{TABLE}\na | b\n--|--\n1 | 2\n").endswith("a | b\n\\--|--\n1 | 2\n")


@pytest.mark.parametrize("by", [1, 2, 3, 11, 1000])
def test_how_a_table_was_cut_into_pieces_makes_no_difference(by: int) -> None:
    text = f"a | b\n\n{TABLE}\n| no | table\n\n| x\n{TABLE}x | y\n-|-\n\n{TABLE}"

    assert tables_in(text, by=by) == tables_in(text, by=1)


def test_code_in_a_cell_cannot_end_the_block() -> None:
    assert aligned(["| ``` |\n"]).startswith("````\n")


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab |-:\n`", max_size=80), by=st.integers(1, 7))
def test_table_pieces_make_no_difference_to_any_text(text: str, by: int) -> None:
    assert tables_in(text, by=by) == tables_in(text, by=1000)
