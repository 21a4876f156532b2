"""Logging in to IRC: what is answered to which server, and when it is over."""

import base64

import pytest

from bridge.networks.irc_connection import parsed
from bridge.networks.irc_registration import Registration, why
from bridge.networks.irc_settings import IrcSettings
from haven.errors import GiveUp, TryLater


def settings(account: str = "", password: str = "", nick: str = "haven") -> IrcSettings:
    return IrcSettings(
        host="irc.example.org",
        port=6667,
        tls=False,
        tls_verify=True,
        nick=nick,
        user="haven",
        realname="Haven",
        account=account,
        password=password,
    )


def talk(login: Registration, *raw: str) -> list[str]:
    """What is answered to these lines."""
    answers: list[str] = []
    for text in raw:
        line = parsed(text)
        assert line is not None
        answers += login.answers(line)
    return answers


def test_a_server_without_capabilities_just_greets() -> None:
    login = Registration(settings())
    assert talk(login, ":s 421 CAP :Unknown command", ":s 001 haven_really :Welcome") == []
    assert not login.done
    talk(
        login,
        ":s 005 haven CASEMAPPING=ascii PREFIX=(ov)@+ NICKLEN=9 TOPICLEN=x EXCEPTS PREFIX=broken :are",
        ":s 422 haven :No MOTD",
    )
    assert (login.done, login.nick, login.error) == (True, "haven_really", None)
    assert (login.features.casemapping, login.features.nick_length, login.features.topic_length) == (
        "ascii",
        9,
        300,
    )


def test_only_what_is_offered_is_asked_for() -> None:
    login = Registration(settings())
    assert talk(login, ":s CAP * LS * :multi-prefix sasl=PLAIN", ":s CAP * LS :server-time draft/x") == [
        "CAP REQ :multi-prefix server-time"
    ]
    assert talk(login, ":s CAP haven ACK :multi-prefix server-time") == ["CAP END"]
    assert login.capabilities == {"multi-prefix", "server-time"}
    assert talk(Registration(settings()), ":s CAP * LS :") == ["CAP END"]
    assert talk(Registration(settings()), ":s CAP * LS :multi-prefix", ":s CAP * NAK :multi-prefix") == [
        "CAP REQ :multi-prefix",
        "CAP END",
    ]


@pytest.mark.parametrize("length", [1, 280, 1000])
def test_sasl_plain_goes_in_pieces(length: int) -> None:
    login = Registration(settings("ada", "x" * length))
    assert talk(login, ":s CAP * LS :sasl") == ["CAP REQ :sasl"]
    assert talk(login, ":s CAP haven ACK :sasl") == ["AUTHENTICATE PLAIN"]
    pieces = [line.removeprefix("AUTHENTICATE ") for line in talk(login, "AUTHENTICATE +")]
    assert (
        base64.b64decode("".join(piece for piece in pieces if piece != "+"))
        == f"ada\0ada\0{'x' * length}".encode()
    )
    assert all(len(piece) == 400 for piece in pieces[:-1])
    assert len(pieces[-1]) < 400
    assert talk(login, ":s 900 haven mask ada :You are now logged in", ":s 903 haven :ok") == ["CAP END"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([":s CAP * LS :multi-prefix"], "login_refused"),
        ([":s CAP * LS :sasl", ":s CAP * NAK :sasl"], "login_refused"),
        ([":s 904 haven :SASL authentication failed"], "login_refused"),
        ([":s 464 haven :Password incorrect"], "login_refused"),
        ([":s 465 haven :You are banned", "ERROR :Closing link"], "banned"),
        ([":s 432 * haven :Erroneous nickname"], "nick_refused"),
    ],
)
def test_what_only_a_person_can_mend_is_given_up(lines: list[str], reason: str) -> None:
    login = Registration(settings("ada", "secret"))
    talk(login, *lines)
    assert isinstance(login.error, GiveUp)
    assert why(login.error) == reason


def test_a_server_that_hangs_up_is_tried_again() -> None:
    login = Registration(settings())
    talk(login, "ERROR :Closing link: throttled")
    assert isinstance(login.error, TryLater)


def test_a_taken_nick_gets_a_tail_within_its_length() -> None:
    login = Registration(settings(nick="h" * 30))
    assert talk(login, ":s 433 * x :in use", ":s 436 * x :collision", ":s 437 * x :unavailable") == [
        f"NICK {'h' * 29}_",
        f"NICK {'h' * 28}_2",
        f"NICK {'h' * 28}_3",
    ]
    assert "secret" not in repr(settings("ada", "secret"))
