"""Turns at the homeserver: few at a time, in order, and one that hangs keeps nobody."""

import asyncio

from bridge.turns import Turns


async def test_only_so_many_at_once_and_in_the_order_they_came() -> None:
    turns, begun, most, inside = Turns(2, 9, 60.0), list[int](), 0, 0

    async def ask(number: int) -> None:
        nonlocal most, inside
        async with turns.taken():
            begun.append(number)
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(ask(number) for number in range(20)))
    assert begun == list(range(20))
    assert most == 2


async def test_those_that_hang_keep_nobody_and_give_their_place_back_once() -> None:
    turns, never = Turns(2, 4, 0.01), asyncio.Event()

    async def hang() -> None:
        async with turns.taken():
            await never.wait()

    hanging = [asyncio.create_task(hang()) for _ in range(3)]
    async with asyncio.timeout(30):
        async with turns.taken():
            pass
        never.set()
        await asyncio.gather(*hanging)
    assert turns._places._value == 2


async def test_even_those_that_hang_are_not_without_number() -> None:
    turns, never = Turns(2, 4, 0.01), asyncio.Event()
    inside = 0

    async def hang() -> None:
        nonlocal inside
        async with turns.taken():
            inside += 1
            await never.wait()

    hanging = [asyncio.create_task(hang()) for _ in range(9)]
    async with asyncio.timeout(30):
        while inside < 4:  # noqa: ASYNC110  # time passes it, no event
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    assert inside == 4
    never.set()
    await asyncio.gather(*hanging)
    assert inside == 9
