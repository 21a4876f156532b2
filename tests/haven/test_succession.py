"""Which tombstones are believed, and where a room is today."""

from dataclasses import replace

import pytest

from haven.ids import RoomId, RoomVersion, UserId
from haven.snapshot import Room
from haven.succession import TOMBSTONE, latest, replacement, tombstone
from tests.haven.worlds import BO, BOT, STRANGER, Village, stranger_room, village

UNTIL = 5_000_000


def _replaced(place: Village, new: Room, old: RoomId) -> bool:
    place.world[new.id] = new
    place.says(BO, old, TOMBSTONE, tombstone(new.id, UNTIL, "moved"))
    return replacement(place.world, place.world[old], BOT) is not None


@pytest.mark.parametrize(
    ("maker", "names", "believed"), [(BOT, True, True), (BOT, False, False), (STRANGER, True, False)]
)
def test_which_tombstones_are_believed(maker: UserId, names: bool, believed: bool) -> None:
    place = village(version=RoomVersion("11"))
    books = place.room("Books").id
    new = stranger_room(RoomId("!new"))
    create = new.state["m.room.create", ""]
    said = {"room_version": "12", **({"predecessor": {"room_id": books}} if names else {})}
    made = new.changed(replace(create, sender=maker, content=said))
    assert _replaced(place, made, books) is believed
    assert (place.community.group(books) is not None) is (not believed)


def test_tombstones_that_lead_in_a_circle_end() -> None:
    place = village(version=RoomVersion("11"))
    books, walks = place.room("Books").id, place.room("Walks").id
    for one, other in ((books, walks), (walks, books)):
        create = place.world[one].content("m.room.create")
        place.says(BOT, one, "m.room.create", {**create, "predecessor": {"room_id": other}})
        place.says(BOT, one, TOMBSTONE, tombstone(other, UNTIL, "moved"))
    assert latest(place.world, books, BOT) in {books, walks}
