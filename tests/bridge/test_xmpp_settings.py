"""The settings of XMPP, and what is remembered and known as our own."""

import pytest

from bridge.networks.xmpp_known import MOST, Known
from bridge.networks.xmpp_occupants import nick_of
from bridge.networks.xmpp_own import Own
from bridge.networks.xmpp_settings import XmppSettings, read_settings
from bridge.section import Section
from haven.errors import Misconfigured
from haven.ids import ChatId, RemoteMessageId, RemoteUserId

CHAT, OTHER = ChatId("a@rooms.example.org"), ChatId("b@rooms.example.org")
COMPONENT = {"component": "matrix.example.org", "secret": "swordfish"}
ACCOUNT = {"account": "haven@example.org", "password": "swordfish"}
BOB, EVE = RemoteUserId("bob"), RemoteUserId("eve")


def settings(values: dict[str, object]) -> XmppSettings:
    return read_settings(Section("networks.xmpp", values))


def test_a_component_is_near_and_an_account_is_found_and_encrypted() -> None:
    component, account = settings(dict(COMPONENT)), settings(dict(ACCOUNT))
    assert (component.host, component.port, component.tls) == ("127.0.0.1", 5347, False)
    assert (account.host, account.port, account.tls) == ("", 5222, True)
    assert (component.domain, account.domain) == ("matrix.example.org", "example.org")
    assert "swordfish" not in repr(component) + repr(account)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({}, "account"),
        ({**COMPONENT, **ACCOUNT}, "account"),
        ({"component": "matrix.example.org"}, "secret"),
        ({"account": "haven@example.org"}, "password"),
        ({**ACCOUNT, "account": "haven"}, "account"),
        ({**ACCOUNT, "account": "haven@"}, "account"),
        ({**COMPONENT, "component": "a b"}, "component"),
        ({**COMPONENT, "tls": True}, "tls"),
        ({**COMPONENT, "secret": "a\nb"}, "secret"),
        ({**COMPONENT, "port": 0}, "port"),
        ({**COMPONENT, "mistyped": 1}, "mistyped"),
        ({**COMPONENT, "password": "x"}, "password"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        settings(values)
    assert wrong.value.values["setting"] == f"networks.xmpp.{key}"


def test_our_ids_are_known_again_and_tell_nothing() -> None:
    own = Own("swordfish")
    name = own.name(CHAT, "$event:example.org", 0)
    assert name == Own("swordfish").name(CHAT, "$event:example.org", 0)
    assert len({name, own.name(CHAT, "$event:example.org", 1), own.name(OTHER, "$event:example.org", 0)}) == 3
    assert "event" not in name
    assert own.made(CHAT, name)
    assert not own.made(OTHER, name)
    assert not Own("other").made(CHAT, name)
    for foreign in ("", ".", "x", "x.y", name[:-1], f"{name}x", "ä.ö"):
        assert not own.made(CHAT, foreign)


def test_a_nick_belongs_to_whoever_claimed_it_last() -> None:
    own = Own("swordfish")
    own.claims(CHAT, "Alice", "one")
    own.claims(CHAT, "Alice", "two")
    own.gives_up(CHAT, "Alice", "one")
    assert own.has_nick(CHAT, "Alice")
    own.gives_up(CHAT, "Alice", "two")
    assert not own.has_nick(CHAT, "Alice")
    own.is_known_as(CHAT, "")
    assert not own.has_occupant(CHAT, "")


def test_an_id_that_was_chosen_twice_stays_the_first_one_s() -> None:
    known = Known()
    known.said(BOB, "m1", RemoteMessageId("s1"))
    known.said(EVE, "m1", RemoteMessageId("s2"))
    known.said(BOB, "m1", RemoteMessageId("s3"))
    assert known.message(BOB, "m1") == "s1"
    assert known.message(EVE, "m1") == "s2"
    author = known.author(RemoteMessageId("s1"))
    assert author is not None
    assert author.person == BOB


def test_what_is_remembered_is_bounded() -> None:
    known = Known()
    for number in range(MOST + 1):
        known.said(BOB, f"m{number}", RemoteMessageId(f"s{number}"))
    assert known.message(BOB, "m0") is None
    assert known.message(BOB, "m1") == "s1"


def test_a_set_of_reactions_is_what_came_and_went() -> None:
    known = Known()
    assert known.reacted(BOB, "s1", frozenset("ab")) == (frozenset("ab"), frozenset())
    assert known.reacted(BOB, "s1", frozenset("bc")) == (frozenset("c"), frozenset("a"))
    assert known.reacted(EVE, "s1", frozenset("b")) == (frozenset("b"), frozenset())
    assert known.reactions(BOB, "s1") == frozenset("bc")


@pytest.mark.parametrize(
    ("name", "nick"),
    [
        ("Alice", "Alice"),
        ("Ben 🎈", "Ben"),
        ("🎈", "Matrix"),
        ("", "Matrix"),
        ("@alice", "alice"),
        ("Zoë Žižková", "Zoë Žižková"),
        ("a/b\nc", "a/b c"),
        ("x" * 100, "x" * 40),
        ("\u202eevil", "evil"),
    ],
)
def test_a_nick_shows_a_name_as_far_as_servers_let_it(name: str, nick: str) -> None:
    assert nick_of(name) == nick
