"""Many answers at once are read in fewer pieces, and none of them loses a word, its first moment or its end by that."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import pytest

from bot.llm.gathering import ENOUGH_BYTES, LONGEST_S, Gathering
from tests.doubles.asking import QUESTION, model_at
from tests.doubles.gemma_server import GemmaServer, gemma_server, says

WORDS = [f"word{n} " for n in range(40)]


@pytest.fixture
async def server() -> AsyncIterator[GemmaServer]:
    async with gemma_server() as running:
        running.standing = says(WORDS, pause_s=0.005)
        yield running


async def test_who_streams_in_company_gets_several_words_at_once_and_all_of_them(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    model = model_at(server, session, gathering=Gathering(reads_per_s=20))

    pieces = [chunk.text async for chunk in model.stream(QUESTION) if chunk.text]

    assert "".join(pieces) == "".join(WORDS)
    assert len(pieces) < len(WORDS) / 2


async def test_who_streams_alone_waits_for_nothing(server: GemmaServer, session: aiohttp.ClientSession) -> None:
    model = model_at(server, session, gathering=Gathering())

    pieces = [chunk.text async for chunk in model.stream(QUESTION) if chunk.text]

    assert len(pieces) > len(WORDS) / 2


async def test_the_first_word_waits_for_nothing_in_any_company(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    model = model_at(server, session, gathering=Gathering(reads_per_s=1))

    async with aclosing(model.stream(QUESTION)) as chunks:
        first = await anext(chunks)

    assert first.text.startswith(WORDS[0])


async def test_a_reader_that_leaves_in_a_pause_ends_the_request_at_once(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    gathering = Gathering(reads_per_s=1)
    model = model_at(server, session, gathering=gathering)

    async def read() -> None:
        async for _ in model.stream(QUESTION):
            heard.set()

    heard = asyncio.Event()
    reader = asyncio.create_task(read())
    await heard.wait()
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)

    assert gathering.pause_s == 0
    async with asyncio.timeout(LONGEST_S * 10):
        await server.hung_up.wait()


async def test_a_connection_that_is_used_again_wakes_at_every_byte(session: aiohttp.ClientSession) -> None:
    """Where a proxy keeps it open although it was asked not to, and sends the whole end of an answer at once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError):
            for size in (ENOUGH_BYTES * 2, 1):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
                await asyncio.sleep(0.05)
                writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"b" * size))
        writer.close()

    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gathering = Gathering(reads_per_s=1)
    async with server, asyncio.timeout(5):
        for size in (ENOUGH_BYTES * 2, 1):
            async with session.get(f"http://127.0.0.1:{port}") as response:
                with gathering.pieces(response) as pieces:
                    assert sum([len(piece) async for piece in pieces]) == 1 + size

    assert len(connections) == 1
