"""The TCP proxy passes on, waits, cuts and refuses as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from embedded.ports import HOST
from embedded.wire import Wire, _reset


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A wire before a server that says back each line it is told."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(line)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    async with Wire(HOST, server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()


async def connect(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, wire.port)


async def test_what_is_sent_is_passed_on_both_ways(wire: Wire) -> None:
    heard: list[bytes] = []

    async def listen(piece: bytes) -> None:
        heard.append(piece)

    wire.sent, wire.delay = listen, 0.01
    reader, writer = await connect(wire)
    for word in (b"one\n", b"two\n"):
        writer.write(word)
        assert await reader.readline() == word
    assert b"".join(heard) == b"one\ntwo\n"
    assert wire.connections == 1
    writer.close()


async def test_the_end_of_one_side_is_the_end_of_the_other(wire: Wire) -> None:
    reader, writer = await connect(wire)
    writer.write(b"goodbye\n")
    writer.write_eof()
    assert await reader.read() == b"goodbye\n"
    writer.close()


async def test_cut_is_a_reset_and_refusing_lets_nobody_in(wire: Wire) -> None:
    reader, writer = await connect(wire)
    writer.write(b"one\n")
    assert await reader.readline() == b"one\n"
    wire.refusing = True
    await wire.cut()
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()
    reader, writer = await connect(wire)
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()
    wire.refusing = False
    reader, writer = await connect(wire)
    writer.write(b"again\n")
    assert await reader.readline() == b"again\n"
    writer.close()


async def test_a_reset_of_one_side_reaches_the_other() -> None:
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"never read\n")
            await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(listen, HOST, 0)
    async with Wire(HOST, server.sockets[0].getsockname()[1]) as wire:
        _, writer = await connect(wire)
        writer.write(b"hello\n")
        _reset(writer)
        async with asyncio.timeout(30):
            assert await ended.wait()
    server.close()


async def test_silence_holds_everything_back(wire: Wire) -> None:
    reader, writer = await connect(wire)
    wire.passing.clear()
    writer.write(b"patience\n")
    waiting = asyncio.create_task(reader.readline())
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert not done
    wire.passing.set()
    assert await waiting == b"patience\n"
    writer.close()
