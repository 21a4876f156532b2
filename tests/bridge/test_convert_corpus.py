"""What conversion makes of what people really write: readable tables, one case a row (``corpus/*.toml``)."""

import tomllib
from importlib.resources import files

import pytest

from bridge.convert.from_html import spans_of
from bridge.convert.names import safe_name
from bridge.convert.plainer import body_of
from bridge.convert.to_html import html_of
from bridge.networks.irc_format import read
from bridge.networks.irc_lines import lines

Case = dict[str, str]


def table(name: str) -> dict[str, list[Case]]:
    return tomllib.loads(files("tests.bridge").joinpath("corpus", name).read_text())


def cases(name: str) -> list[object]:
    return [pytest.param(case, id=case["name"]) for case in table(name)["case"]]


@pytest.mark.parametrize("case", cases("html.toml"))
def test_html_is_read_and_written_again(case: Case) -> None:
    text = spans_of(case["html"])
    assert body_of(text) == case["body"]
    assert html_of(text) == case.get("html_back")
    assert spans_of(html_of(text) or "") == (text if html_of(text) else ())


@pytest.mark.parametrize("case", cases("irc.toml"))
def test_a_line_of_irc_is_read_and_written_again(case: Case) -> None:
    text = read(case["line"])
    assert body_of(text) == case["body"]
    assert html_of(text) == case.get("html")
    assert "\n".join(lines(text, 400, 10)) == case.get("back", case["line"])


@pytest.mark.parametrize(
    ("name", "shown"),
    tomllib.loads(files("tests.bridge").joinpath("corpus", "names.toml").read_text())["names"].items(),
)
def test_names_are_made_safe(name: str, shown: str) -> None:
    assert safe_name(name, "") == shown
    assert safe_name(name, "someone") == (shown or "someone")
