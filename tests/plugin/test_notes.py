"""Where a direct chat is looked for when many people are to be told something."""

from haven.ids import RoomId, UserId
from haven.ports import Content, StateEvent
from haven.snapshot import Room, World, room_of
from haven.stateevents import GROUP
from plugin.service.notes import direct_chat, unmanaged

BOT, ANA = UserId("@haven:haven.test"), UserId("@ana:haven.test")


def room(name: str, **state: Content) -> Room:
    events = [StateEvent("m.room.member", user, user, {"membership": "join"}) for user in (BOT, ANA)]
    return room_of(
        RoomId(name),
        (*events, *(StateEvent(kind.replace("_", "."), "", BOT, said) for kind, said in state.items())),
    )


CHAT, ADMINS = room("!chat"), room("!admins", **{GROUP: {"kind": "admins"}})
SPACE = room("!space", m_room_create={"type": "m.space"})
WORLD: World = {each.id: each for each in (ADMINS, SPACE, CHAT)}


def test_rooms_of_communities_are_passed_over() -> None:
    assert set(unmanaged(WORLD)) == {CHAT.id}


def test_the_same_chat_is_found_as_among_all_rooms() -> None:
    assert direct_chat(unmanaged(WORLD), BOT, ANA) == direct_chat(WORLD, BOT, ANA) == CHAT.id
