"""A stream ends in time, and with the error that says whether asking again is safe."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from bot.conversation.models import Chunk, ModelEntry
from bot.errors import ModelError, ModelMisconfigured, ModelOverloaded, ModelUnavailable, PromptTooLong, StreamBroken
from bot.llm.deadlines import in_time

ENTRY = ModelEntry("m", "M", "self-hosted", 100, 10, first_token_s=9.0, stall_s=9.0, total_s=9.0)
TEXT, EMPTY, END = Chunk(text="a"), Chunk(), Chunk(finish="stop")


class Stream:
    """Gives these chunks, then raises, or waits for ever where it has nothing to raise."""

    def __init__(self, *chunks: Chunk, error: Exception | None = None) -> None:
        self._chunks = chunks
        self._error = error
        self.closed = False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            for chunk in self._chunks:
                yield chunk
                if chunk.finish:
                    return
            if self._error:
                raise self._error
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def read(stream: Stream, entry: ModelEntry = ENTRY) -> list[Chunk]:
    return [chunk async for chunk in in_time(stream.chunks(), entry)]


async def test_a_stream_in_time_is_passed_on_as_it_is() -> None:
    assert await read(Stream(EMPTY, TEXT, END)) == [EMPTY, TEXT, END]


async def test_no_first_chunk_in_time_is_unavailable() -> None:
    stream = Stream()

    with pytest.raises(ModelUnavailable, match=r"no first token in 0\.01 s"):
        await read(stream, replace(ENTRY, first_token_s=0.01))
    assert stream.closed


async def test_no_further_chunk_in_time_breaks_an_answer_that_has_text() -> None:
    stream = Stream(TEXT)

    with pytest.raises(StreamBroken, match=r"no further token in 0\.01 s"):
        await read(stream, replace(ENTRY, stall_s=0.01))
    assert stream.closed


async def test_a_stall_after_empty_chunks_can_be_asked_again() -> None:
    with pytest.raises(ModelUnavailable, match="no further token"):
        await read(Stream(EMPTY, EMPTY), replace(ENTRY, stall_s=0.01))


async def test_the_total_counts_also_while_chunks_keep_coming() -> None:
    async def endless() -> AsyncGenerator[Chunk, None]:
        while True:
            await asyncio.sleep(0)
            yield TEXT

    with pytest.raises(StreamBroken, match=r"not finished in 0\.02 s"):
        async for _ in in_time(endless(), replace(ENTRY, total_s=0.02)):
            pass


@pytest.mark.parametrize("error", [ModelOverloaded("x", 3.0), ModelMisconfigured("x"), PromptTooLong("x")])
async def test_before_the_first_text_errors_stay_what_they_are(error: ModelError) -> None:
    with pytest.raises(type(error)) as caught:
        await read(Stream(EMPTY, error=error))
    assert caught.value is error


@pytest.mark.parametrize("error", [ModelUnavailable("x"), ModelMisconfigured("x"), StreamBroken("x")])
async def test_after_the_first_text_every_error_is_a_broken_stream(error: ModelError) -> None:
    with pytest.raises(StreamBroken):
        await read(Stream(TEXT, error=error))


async def test_a_stream_that_breaks_before_its_first_text_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable):
        await read(Stream(EMPTY, error=StreamBroken("x")))


async def test_who_stops_reading_closes_the_stream_at_once() -> None:
    stream = Stream(TEXT)
    timed = in_time(stream.chunks(), ENTRY)
    await anext(timed)

    await timed.aclose()

    assert stream.closed
