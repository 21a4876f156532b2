"""Bodies: held to what was said of them, and whole after one has looked at their beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.media_body import Measured, head_of, joined
from bridge.networks.media import Body
from haven.errors import HavenError

PIECES = st.lists(st.binary(max_size=50), max_size=20)


async def flowing(pieces: list[bytes]) -> Body:
    for piece in pieces:
        yield piece


async def read(body: Body) -> bytes:
    return b"".join([piece async for piece in body])


@given(PIECES, st.integers(0, 400))
async def test_what_is_looked_at_is_not_lost(pieces: list[bytes], most: int) -> None:
    whole, body = b"".join(pieces), flowing(pieces)
    head = await head_of(body, most)
    assert whole.startswith(head)
    assert len(head) >= min(most, len(whole))
    assert await read(joined(head, body)) == whole


@given(PIECES, st.integers(0, 500))
async def test_only_the_exact_size_comes_through(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    measured = Measured(flowing(pieces), size)
    if len(whole) == size:
        assert await read(measured) == whole
        return
    with pytest.raises(HavenError) as caught:
        await read(measured)
    assert caught.value.key == ("media_cut" if len(whole) < size else "media_size_false")
    assert measured.error is caught.value


@given(PIECES, st.integers(0, 500))
async def test_without_a_size_there_is_still_an_end(pieces: list[bytes], most: int) -> None:
    whole = b"".join(pieces)
    measured = Measured(flowing(pieces), None, most)
    if len(whole) <= most:
        assert await read(measured) == whole
        return
    with pytest.raises(HavenError) as caught:
        await read(measured)
    assert caught.value.key == "media_too_large"
