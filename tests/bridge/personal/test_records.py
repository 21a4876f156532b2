"""Export is complete, and after erasing nothing of the person is left anywhere in the database; everybody else's stays."""

import asyncio
import json
from pathlib import Path

import pytest

from bridge.__main__ import main
from bridge.i18n import Voice
from bridge.networks.events import Role
from bridge.networks.people import Picture
from bridge.personal.commands import erase, export, person_of
from bridge.personal.records import Records
from bridge.store import Store
from embedded.waiting import eventually
from haven.errors import Invalid
from haven.ids import RemoteUserId, UserId
from tests.bridge.lives import CHAT, Lives
from tests.bridge.test_config import GOOD, written
from tests.bridge.test_people import let_set_levels, speaks

BOB, BEN = RemoteUserId("bob4711"), RemoteUserId("ben0815")


async def dump(store: Store) -> dict[str, object]:
    """Every cell of the database, by table, row and column."""
    database, cells = store._database, {}
    tables = await database.fetch("SELECT name FROM sqlite_master WHERE type='table'")
    for table in (row["name"] for row in tables):
        for number, row in enumerate(await database.fetch(f"SELECT * FROM {table}")):  # noqa: S608  # its own word
            cells.update({f"{table} {number} {name}": row[name] for name in row.keys()})  # noqa: SIM118  # no dict
    return cells


@pytest.fixture
async def kept(lives: Lives) -> tuple[Lives, UserId]:
    """A database in which people stand wherever they can: messages, reactions, roles, pictures, and what could not be carried."""
    await lives.link()
    await let_set_levels(lives)
    lives.town.pictures["fox0042"] = Picture(b"fox", "image/png")
    await lives.town.join(CHAT, BOB, picture="fox0042")
    await lives.town.join(CHAT, BEN)
    bob = await speaks(lives, "I am Bob", BOB)
    await speaks(lives, "I am Ben", BEN)
    event = await lives.say("I am Alice")
    await lives.until(lambda: len(lives.heard()) == 2)
    target = lives.town.chat(CHAT).heard[-1].id
    for who in (BOB, BEN):
        await lives.town.react(CHAT, who, target, "👍")
    await lives.until(lambda: len(lives.by_ghosts("m.reaction")) == 2)
    await lives.town.give_role(CHAT, BOB, Role.OPERATOR)
    await eventually(lambda: _count(lives, "standing"), "an agreement on Bob's role")
    lives.town.refuse_sends = True
    await lives.say("nobody hears Alice")
    await lives.alice.send_message(
        lives.room,
        "m.reaction",
        {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "✅"}},
        "answer",
    )
    await eventually(lambda: _count(lives, "inbox", " WHERE aside IS NOT NULL"), "something set aside")
    assert lives.store is not None
    for number, sender in enumerate((bob, lives.alice.user)):
        query = "INSERT INTO expiring (room, event, sender, due) VALUES ($1, $2, $3, 9999999999999)"
        await lives.store._execute(query, lives.room, f"$disappears {number}", sender)
    return lives, bob


async def _count(lives: Lives, table: str, where: str = "") -> int:
    assert lives.store is not None
    return await lives.store._number(f"SELECT COUNT(*) FROM {table}{where}")  # noqa: S608  # ours


@pytest.mark.parametrize("who", ["bob", "alice"])
async def test_nothing_is_left_of_them_and_all_of_the_others(kept: tuple[Lives, UserId], who: str) -> None:
    lives, bob = kept
    user = bob if who == "bob" else lives.alice.user
    secrets = [user] if who == "alice" else [user, BOB, "fox0042", "I am Bob"]
    url = f"sqlite:{lives.place}/bridge.db"
    await lives.die()
    async with Store(url) as store:
        before = await dump(store)
        assert all(any(secret in str(cell) for cell in before.values()) for secret in secrets[:2])
        records = Records(store)
        found = await records.of(await records.subject(user))
        said = json.dumps(found, ensure_ascii=False)
        assert user in said
    printed: list[str] = []
    await export(url, user, printed.append)
    assert json.loads(printed[0]) == json.loads(said)
    assert await erase(url, user, Voice("en"), printed.append, None)
    async with Store(url) as store:
        after = await dump(store)
        assert not [place for place, cell in after.items() for secret in secrets if secret in str(cell)]
        assert await Records(store).of(await Records(store).subject(user)) == {}
        others = [row["name"] for row in await store._database.fetch("SELECT name FROM person")]
        assert BEN in others
        assert len(await store._database.fetch("SELECT * FROM expiring")) == 2, "they still disappear"
        senders = [row["sender"] for row in await store._database.fetch("SELECT sender FROM message_map")]
        assert senders
    assert await erase(url, user, Voice("en"), printed.append, None), "twice is as good as once"
    assert printed[-1] == "Nothing is kept of them."
    whole = b"".join(path.read_bytes() for path in lives.place.glob("bridge.db*"))
    assert not [secret for secret in secrets if secret.encode() in whole], "not in the file either"


async def test_the_bridge_goes_on_as_if_it_had_never_met_them(kept: tuple[Lives, UserId]) -> None:
    lives, bob = kept
    await lives.die()
    assert await erase(f"sqlite:{lives.place}/bridge.db", bob, Voice("en"), lambda _: None, None)
    lives.town.refuse_sends = False
    await lives.live()
    await lives.until(lambda: bool(lives.town.accounts) and lives.status()["state"] == "linked")
    assert await speaks(lives, "me again", BOB) == bob


@pytest.mark.parametrize("answer", ["", "yes", "@somebody:else.test"])
async def test_nothing_goes_without_the_id_once_more(kept: tuple[Lives, UserId], answer: str) -> None:
    lives, bob = kept
    url = f"sqlite:{lives.place}/bridge.db"
    await lives.die()
    asked: list[str] = []

    async def ask(question: str) -> str:
        asked.append(question)
        await asyncio.sleep(0)
        return answer

    said: list[str] = []
    assert not await erase(url, bob, Voice("en"), said.append, ask)
    assert said == ["Nothing was deleted."]
    assert bob in asked[0]
    async with Store(url) as store:
        assert (await Records(store).subject(bob)).remote == BOB


@pytest.mark.parametrize("given", ["", "bob", "bob@example.org", "+420777", "#room:haven.test", "@a b:c"])
def test_who_is_meant_must_be_a_matrix_id(given: str) -> None:
    with pytest.raises(Invalid) as wrong:
        person_of(given)
    assert wrong.value.key == "person_unfit"
    assert "777" not in str(wrong.value)


def test_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {**GOOD, "database": f"sqlite:{tmp_path}/bridge.db"}
    file = str(written(tmp_path, content))
    assert main(["export", "@ana:haven.test", "-c", file]) == 0
    assert json.loads(capsys.readouterr().out) == {}
    assert main(["erase", "--yes", "@ana:haven.test", "-c", file]) == 0
    assert capsys.readouterr().out == "Nothing is kept of them.\n"
    assert main(["export", "+420777123", "-c", file]) == 1
    assert "777" not in capsys.readouterr().err
