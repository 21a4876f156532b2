"""Names of files: none tells a number or an address, and all can be stored and shown."""

import pytest

from bridge.media_names import file_name, plain_name, tells_nobody


@pytest.mark.parametrize(
    ("name", "media_type", "shown"),
    [
        ("cat.jpg", "image/jpeg", "cat.jpg"),
        ("", "image/jpeg", "file.jpg"),
        ("", "application/x-strange", "file"),
        ("photo", "image/png", "photo.png"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\ada\\cat.jpg", "image/jpeg", "cat.jpg"),
        ("+34600111222.vcf", "text/vcard", "….vcf"),
        ("34 600 111 222.jpg", "image/jpeg", "….jpg"),
        ("PTT-34600111222-a.ogg", "audio/ogg", "PTT-…-a.ogg"),
        ("ada@example.org.txt", "text/plain", "….txt"),
        ("from ada@chat.example.org here.txt", "text/plain", "from … here.txt"),
        ("IMG-20261122-WA0001.jpg", "image/jpeg", "IMG-20261122-WA0001.jpg"),
        ("2026-11-22 report.pdf", "application/pdf", "2026-11-22 report.pdf"),
        ("Screenshot 2026-11-22 10.11.12.png", "image/png", "Screenshot 2026-11-22 10.11.12.png"),
        ("evil\u202egpj.exe", "image/jpeg", "evilgpj.exe"),
        ("a\r\nb\0.txt", "text/plain", "a b.txt"),
        ("...", "text/plain", "file.txt"),
    ],
)
def test_is_shown_as(name: str, media_type: str, shown: str) -> None:
    assert file_name(name, media_type) == shown


def test_long_names_keep_their_ending() -> None:
    name = file_name("x" * 500 + ".tar", "application/x-tar")
    assert name.endswith(".tar")
    assert len(name) <= 80


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("cat.jpg", "cat.jpg"),
        ("my cat (2).JPG", "my-cat-2.jpg"),
        ("kočka.png", "ko-ka.png"),
        ("猫.png", "file.png"),
        ("a/../b", "a-b"),
        ('x"y\r\n.gif', "x-y.gif"),
        ("", "file"),
    ],
)
def test_in_an_address(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://files.example.org/u8Xk-2/my%20cat.png", True),
        ("http://files.example.org:5280/550e8400-e29b-41d4-a716-446655440000/film.mp4", True),
        ("https://files.example.org/x/%2B34600111222.jpg", False),
        ("https://files.example.org/ada@example.org/cat.png", False),
        ("https://files.example.org/ada%40example.org/cat.png", False),
        ("https://ada@files.example.org/cat.png", False),
        ("https://files.example.org/cat.png?token=secret", False),
        ("https://files.example.org/" + "x" * 600, False),
        ("https://files.example.org/a\u202eb", False),
        ("endless:1", False),
        ("", False),
    ],
)
def test_which_addresses_may_be_shown(url: str, shown: bool) -> None:
    assert tells_nobody(url) is shown
