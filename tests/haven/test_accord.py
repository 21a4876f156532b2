"""What two sides of a community do to agree again: a table of cases, and random histories that always end in agreement."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haven.accord import (
    AT_ONCE,
    MOST,
    WHOLE,
    Accord,
    Agreed,
    Branch,
    Forget,
    FoundHere,
    FoundThere,
    Here,
    Join,
    LetGoHere,
    LetGoThere,
    Part,
    ShowHere,
    ShowThere,
    Step,
    There,
    Trait,
    accord,
)
from haven.errors import Guarded
from haven.ids import ChatId, RoomId

SPACE = RoomId("!space")


def branch(name: str, part: Part = Part.GROUP, chat: str = "", **traits: str) -> Branch:
    face = {Trait.NAME: name, **{Trait(trait): value for trait, value in traits.items()}}
    return Branch(part, face, ChatId(chat) if chat else None)


NEWS = branch("News", Part.ANNOUNCEMENTS)


def here(name: str = "Fathers", /, **rooms: Branch) -> Here:
    return Here(
        {Trait.NAME: name}, {RoomId(f"!{room}"): each for room, each in {"news": NEWS, **rooms}.items()}
    )


def there(name: str = "Fathers", /, **chats: Branch) -> There:
    return There({Trait.NAME: name}, {ChatId(chat): each for chat, each in {"n": NEWS, **chats}.items()})


def lines(found: Accord) -> list[str]:
    return [f"{key} {values.get('name', '')}".strip() for key, values in map(_line, found.steps)]


def _line(step: Step) -> tuple[str, dict[str, str]]:
    key, values = step.line()
    return key, dict(values)


BEFORE = Agreed(
    {ChatId("n"): RoomId("!news"), ChatId("m"): RoomId("!madrid")},
    {WHOLE: {Trait.NAME: ("Fathers", "Fathers")}, "m": {Trait.NAME: ("Madrid", "Madrid")}},
)
LINKED = {"news": branch("News", Part.ANNOUNCEMENTS, "n"), "madrid": branch("Madrid", chat="m")}


def test_at_first_groups_meet_by_part_and_name_and_the_rest_is_made_on_the_other_side() -> None:
    ours = here(hall=branch("Hall", Part.GENERAL), madrid=branch("Madrid"), brno=branch("Brno"))
    theirs = there(g=branch("General", Part.GENERAL), m=branch("MADRID"), p=branch("Praga"))
    assert lines(accord(SPACE, ours, theirs, Agreed())) == [
        "join News",
        "join Hall",
        "join Madrid",
        "found_here Praga",
        "found_there Brno",
    ]


def test_ends_that_differ_from_the_start_do_so_in_peace() -> None:
    found = accord(SPACE, here("Fathers"), there("Dads"), Agreed())
    assert lines(found) == ["join News"]
    assert found.agreed.faces[WHOLE] == {Trait.NAME: ("Fathers", "Dads")}


CASES = [
    (here(**LINKED), there(m=branch("Madrid")), []),
    (here(**LINKED), there("Dads", m=branch("Madrid")), ["show_here_name Fathers"]),
    (here("Dads", **LINKED), there(m=branch("Madrid")), ["show_there_name Dads"]),
    (here("Dads", **LINKED), there("Dads", m=branch("Madrid")), []),
    (here("Dads", **LINKED), there("Men", m=branch("Madrid")), ["conflict name"]),
    (here(**LINKED), there(m=branch("Barcelona")), ["show_here_name Madrid"]),
    (here(**LINKED), there(), ["let_go_here Madrid"]),
    (here(news=LINKED["news"]), there(m=branch("Madrid")), ["let_go_there Madrid"]),
    (here(news=LINKED["news"]), there(), ["forget"]),
    (here(**LINKED), there(m=branch("Madrid"), b=branch("Brno")), ["found_here Brno"]),
    (here(**LINKED, brno=branch("Brno")), there(m=branch("Madrid")), ["found_there Brno"]),
    (here(**{**LINKED, "madrid": branch("Madrid")}), there(m=branch("Madrid")), ["join Madrid"]),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), CASES)
def test_what_changed_since_is_carried_over(ours: Here, theirs: There, expected: list[str]) -> None:
    found = accord(SPACE, ours, theirs, BEFORE)
    assert lines(found) + [f"conflict {each.trait}" for each in found.conflicts] == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (here(**LINKED), There({}, {})),
        (here(**LINKED), There({}, {ChatId("m"): branch("Madrid")})),
        (Here({}, {}), there(m=branch("Madrid"))),
    ],
)
def test_a_side_that_suddenly_shows_nothing_is_not_believed(ours: Here, theirs: There) -> None:
    with pytest.raises(Guarded, match="accord_empty"):
        accord(SPACE, ours, theirs, BEFORE)


@pytest.mark.parametrize("many", [AT_ONCE, AT_ONCE + 1])
@pytest.mark.parametrize("gone", ["here", "there"])
def test_too_many_groups_are_not_let_go_at_once(many: int, gone: str) -> None:
    names = [f"g{number}" for number in range(many)]
    pairs = {ChatId(name): RoomId(f"!{name}") for name in names}
    ours = here(**({} if gone == "here" else {name: branch(name, chat=name) for name in names}))
    theirs = there(**({} if gone == "there" else {name: branch(name) for name in names}))
    found = accord(SPACE, ours, theirs, Agreed({ChatId("n"): RoomId("!news"), **pairs}))
    ended = [step for step in found.steps if isinstance(step, LetGoHere | LetGoThere)]
    assert (len(ended), found.withheld) == ((many, 0) if many == AT_ONCE else (0, many))
    assert pairs.items() <= found.agreed.pairs.items()


def test_a_network_cannot_flood_the_community() -> None:
    found = accord(SPACE, here(), there(**{f"g{n}": branch(f"g{n}") for n in range(1000)}), Agreed())
    assert sum(isinstance(step, FoundHere) for step in found.steps) == MOST - 1
    assert found.beyond == 1001 - MOST


def test_a_room_that_was_made_for_a_chat_is_known_by_its_slot() -> None:
    ours = here(old=replace(branch("Old name"), slot="s"))
    theirs = there(p=replace(branch("New name"), slot="s"), n2=replace(branch("Old name"), slot="t"))
    assert lines(accord(SPACE, ours, theirs, Agreed())) == [
        "join Old name",
        "join News",
        "show_here_name Old name",
        "found_here Old name",
    ]


def test_a_room_that_is_linked_elsewhere_on_the_network_is_left_alone() -> None:
    ours = here(madrid=branch("Madrid", chat="elsewhere"))
    assert lines(accord(SPACE, ours, there(m=branch("Madrid")), Agreed())) == [
        "join News",
        "found_here Madrid",
    ]


class Sides:
    """Two sides that change, and what they agreed on. Groups are held by their id on that side."""

    def __init__(self) -> None:
        self.rooms: dict[str, Branch] = {"!news": NEWS}
        self.chats: dict[str, Branch] = {"n": NEWS}
        self.agreed = Agreed()

    def accord(self) -> Accord:
        """What is to be done."""
        ours = Here({}, {RoomId(room): each for room, each in self.rooms.items()})
        theirs = There({}, {ChatId(chat): each for chat, each in self.chats.items()})
        return accord(SPACE, ours, theirs, self.agreed)

    def carry_out(self, found: Accord) -> None:
        """Do all steps, as the faces do them."""
        pairs = dict(found.agreed.pairs)
        faces = {scope: dict(seen) for scope, seen in found.agreed.faces.items()}
        self.agreed = Agreed(pairs, faces)
        for step in found.steps:
            if isinstance(step, ShowHere | ShowThere):
                self._show(step, faces)
            else:
                self._regroup(step, pairs)

    def _show(self, step: ShowHere | ShowThere, faces: dict[str, dict[Trait, tuple[str, str]]]) -> None:
        side, key = (self.rooms, str(step.room)) if isinstance(step, ShowHere) else (self.chats, step.scope)
        value = step.ends[1] if isinstance(step, ShowHere) else step.ends[0]
        side[key] = replace(side[key], face={step.trait: value})
        faces[step.scope][step.trait] = (value, value)

    def _regroup(self, step: Step, pairs: dict[ChatId, RoomId]) -> None:
        match step:
            case Join(room, chat):
                self.rooms[room] = replace(self.rooms[room], chat=chat)
                pairs[chat] = room
            case FoundThere(room, each):
                self.chats[f"of{room}"] = replace(each, chat=None)
            case FoundHere(chat, each):
                self.rooms[f"!of{chat}"] = each
            case LetGoHere(room):
                self.rooms.pop(room)
            case LetGoThere(_, chat):
                self.chats.pop(chat)
            case Forget(_, chat):
                pairs.pop(chat)

    def change(self, key: str, deed: str, on_ours: bool, name: str, other: str) -> None:
        """Somebody does something on one side; two groups of one side never have the same name."""
        side = self.rooms if on_ours else self.chats
        own = [key for key, each in side.items() if each.name == name and each.part is Part.GROUP]
        if deed == "add" and not own:
            side[f"!{key}{name}" if on_ours else f"{key}{name}"] = branch(name)
        elif deed == "drop" and own:
            del side[own[0]]
        elif deed == "name" and own and not any(each.name == other for each in side.values()):
            side[own[0]] = replace(side[own[0]], face={Trait.NAME: other})

    def settle(self) -> Accord:
        """Do what is to be done until nothing is; gives the last answer."""
        for _ in range(6):
            found = self.accord()
            self.carry_out(found)
        return self.accord()


NAMES = st.sampled_from(["Madrid", "Brno", "Praga", "Lisboa"])
DEEDS = st.lists(st.tuples(st.sampled_from(["add", "drop", "name"]), st.booleans(), NAMES, NAMES), max_size=3)


@given(st.lists(DEEDS, min_size=1, max_size=6))
def test_whatever_people_do_both_sides_end_alike(history: list[list[tuple[str, bool, str, str]]]) -> None:
    sides = Sides()
    for number, deeds in enumerate(history):
        for place, deed in enumerate(deeds):
            sides.change(f"{number}.{place}", *deed)
        found = sides.settle()
        assert not found.steps
        if not found.conflicts:
            names = sorted(each.name for each in sides.rooms.values())
            assert names == sorted(each.name for each in sides.chats.values())
