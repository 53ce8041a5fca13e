"""No answer that was cut is ever taken for a whole one, wherever it was cut."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.conversation.models import Chunk
from bot.errors import StreamBroken
from bot.llm.dialects import events

PAYLOADS = Path(__file__).parents[2] / "payloads" / "gemma"
END = b"data: [DONE]\n\n"


async def once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def read(data: bytes) -> list[Chunk]:
    async with aclosing(events.chunks(once(data), lambda choice: choice.get("text"))) as chunks:
        return [chunk async for chunk in chunks]


@pytest.mark.parametrize("recording", ["vllm_length.txt", "llama_length.txt"])
async def test_a_recorded_answer_cut_at_any_byte_is_broken(recording: str) -> None:
    whole = (PAYLOADS / recording).read_bytes()
    done_at = whole.index(END) + len(END)

    for cut in range(done_at):
        with pytest.raises(StreamBroken):
            await read(whole[:cut])
    assert (await read(whole[:done_at]))[-1].finish == "length"


@pytest.mark.parametrize("recording", ["vllm_length.txt", "llama_length.txt"])
async def test_a_recorded_answer_with_any_event_lost_keeps_its_end_or_is_broken(recording: str) -> None:
    parts = (PAYLOADS / recording).read_bytes().rstrip(b"\n").split(b"\n\n")

    for lost in range(len(parts)):
        data = b"".join(part + b"\n\n" for number, part in enumerate(parts) if number != lost)
        vital = b"[DONE]" in parts[lost] or b'"finish_reason":"length"' in parts[lost]
        if vital:
            with pytest.raises(StreamBroken):
                await read(data)
        else:
            assert (await read(data))[-1].finish == "length"
