"""The settings of IRC: what is wrong is named by its key."""

import pytest

from bridge.networks.irc import build
from bridge.networks.irc_settings import read_settings
from bridge.section import Section
from haven.errors import Misconfigured


def test_a_host_is_enough() -> None:
    settings = read_settings(Section("networks.irc", {"host": "irc.example.org"}))
    assert (settings.host, settings.port, settings.tls, settings.nick) == (
        "irc.example.org",
        6697,
        True,
        "haven",
    )
    assert read_settings(Section("networks.irc", {"host": "irc.example.org", "tls": False})).port == 6667


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({}, "host"),
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "a", "port": 0}, "port"),
        ({"host": "a", "port": "6667"}, "port"),
        ({"host": "a", "nick": "has blank"}, "nick"),
        ({"host": "a", "nick": ":colon"}, "nick"),
        ({"host": "a", "user": "x\r\nQUIT"}, "user"),
        ({"host": "a", "realname": "x\r\nQUIT"}, "realname"),
        ({"host": "a", "password": "x\nQUIT"}, "password"),
        ({"host": "a", "account": "ada"}, "password"),
        ({"host": "a", "rate": 0}, "rate"),
        ({"host": "a", "burst": 0}, "burst"),
        ({"host": "a", "tsl": True}, "tsl"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        build(Section("networks.irc", values))
    assert caught.value.values["setting"] == f"networks.irc.{key}"


def test_building_connects_to_nothing_and_is_named_after_its_section() -> None:
    network = build(Section("networks.oftc", {"host": "irc.example.org"}))
    assert network.name == "oftc"
    assert network.capabilities.roles
