"""Neutral events survive being written down."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Location, Message
from bridge.networks.events import ChatEvent
from bridge.spelling import read, spell
from haven.errors import Invalid

DEGREES = st.floats(allow_nan=False)
"""Any number: what is not one equals nothing, not even itself."""
st.register_type_strategy(Location, st.builds(Location, DEGREES, DEGREES, st.text()))
events = st.one_of(*(st.from_type(kind) for kind in get_args(ChatEvent)))


@given(events)
def test_every_event_comes_back_as_it_was(event: ChatEvent) -> None:
    assert read(spell(event), ChatEvent) == event


@given(st.from_type(Message))
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    assert read(spell(message), Message) == message


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"is":"os"}', '{"is":"Said"}', '{"is":"Person","id":"a","name":"b"}']
)
def test_what_spells_no_event_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        read(text, ChatEvent)
