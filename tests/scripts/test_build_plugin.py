"""The .mbp: unique names, no stray files, the same bytes from the same sources."""

import zipfile
from pathlib import Path

import pytest

from scripts.build_plugin import CannotBuild, build, rewrite_meta, rewrite_source

META = """\
maubot: "0.5.0"
id: chat.haven
version: "0.1.0"
modules:
  - haven  # the mind comes first
  - plugin
main_class: plugin/HavenBot
extra_files:
  - base-config.yaml
  - docs/*.md
database: true
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small tree shaped like the real one."""
    root = tmp_path / "sources"
    files = {
        "maubot.yaml": META,
        "base-config.yaml": "a: 1\n",
        "docs/privacy.md": "No.\n",
        "haven/__init__.py": '"""Mind."""\n',
        "haven/model.py": "from .ids import RoomId\n",
        "plugin/__init__.py": "from haven.model import (\n    RoomId,\n)\nfrom .bot import HavenBot\n",
        "plugin/bot.py": 'class HavenBot:\n    NAME = "chat.haven.community"\n',
        "plugin/i18n/en.yaml": "hello: Hello, haven\n",
        "plugin/__pycache__/bot.cpython-311.pyc": "",
        "plugin/bot.py~": "",
        "plugin/.hidden": "",
        "plugin/.cache/x.py": "",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_archive_holds_what_is_needed_and_nothing_else(sources: Path, tmp_path: Path) -> None:
    target = build(sources, tmp_path)
    assert target == tmp_path / "haven.mbp"
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == [
            "base-config.yaml",
            "docs/privacy.md",
            "haven_mind/__init__.py",
            "haven_mind/model.py",
            "haven_plugin/__init__.py",
            "haven_plugin/bot.py",
            "haven_plugin/i18n/en.yaml",
            "maubot.yaml",
        ]


def test_imports_of_the_mind_follow_its_name_and_nothing_else_changes(sources: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(sources, tmp_path)) as archive:
        opening = archive.read("haven_plugin/__init__.py").decode()
        assert opening == "from haven_mind.model import (\n    RoomId,\n)\nfrom .bot import HavenBot\n"
        assert b'"chat.haven.community"' in archive.read("haven_plugin/bot.py")
        assert archive.read("haven_plugin/i18n/en.yaml") == b"hello: Hello, haven\n"


def test_the_same_sources_give_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    first = build(sources, tmp_path / "first.mbp").read_bytes()
    (sources / "plugin" / "bot.py").touch()
    assert build(sources, tmp_path / "second.mbp").read_bytes() == first


def test_the_meta_names_what_is_shipped_and_keeps_the_rest() -> None:
    rewritten = rewrite_meta(META)
    assert "  - haven_mind  # the mind comes first\n  - haven_plugin\n" in rewritten
    assert "main_class: haven_plugin/HavenBot" in rewritten
    assert "id: chat.haven\n" in rewritten


def test_modules_may_stand_on_one_line() -> None:
    text = META.replace(
        "modules:\n  - haven  # the mind comes first\n  - plugin\n", "modules: [haven, plugin]\n"
    )
    assert "modules: [haven_mind, haven_plugin]\n" in rewrite_meta(text)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (META.replace("  - plugin\n", ""), "modules"),
        (META.replace("plugin/HavenBot", "HavenBot"), "main_class"),
    ],
)
def test_a_meta_that_cannot_be_shipped_is_refused(wrong: str, complaint: str) -> None:
    with pytest.raises(CannotBuild, match=complaint):
        rewrite_meta(wrong)


@pytest.mark.parametrize("line", ["import haven.model", "from plugin.bot import HavenBot", "import plugin"])
def test_an_import_that_would_break_under_the_new_name_is_refused(line: str) -> None:
    with pytest.raises(CannotBuild, match=r"bot\.py:2"):
        rewrite_source(f"import os\n{line}\n", "bot.py")


def test_without_a_meta_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match=r"no maubot\.yaml"):
        build(tmp_path)
