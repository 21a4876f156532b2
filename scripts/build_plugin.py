#!/usr/bin/env python3
"""Builds the plugin for maubot: one .mbp with haven/ and plugin/ under names that no other plugin uses.

maubot makes every module of an .mbp a global name of its process, and a second plugin that owns a package of the same name
silently gets the first one's code. So `plugin` ships as `haven_plugin` and `haven` as `haven_mind`; imports inside of the packages
are relative, imports of the mind (`from haven.model import ...`) and maubot.yaml are rewritten. Plain `mbc build` still works where Haven
is alone. The same sources give the same file, byte for byte.

`scripts/build_plugin.py [-o FILE_OR_DIRECTORY]`: prints the path of what it built.
"""

import argparse
import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_AS = {"haven": "haven_mind", "plugin": "haven_plugin"}
LEFT_OUT = re.compile(
    r"(?:^|/)(?:\.[^/]*|__pycache__|[^/]*(?:~|\.py[co]|\.orig|\.rej|\.bak|\.sw[a-z]))(?:/|$)"
)
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The oldest time a zip can hold: when a file was touched is nobody's business."""


class CannotBuild(Exception):
    """What in the sources keeps them from being built, as a sentence."""


def _renamed(text: str) -> str:
    """A text with the packages' own names replaced where they stand as whole words."""
    return re.sub(r"(?<![\w.-])(haven|plugin)(?![\w.-])", lambda match: SHIPPED_AS[match[1]], text)


def _values(meta: str, key: str) -> list[str]:
    """The values of one key of maubot.yaml, written on its line or as a list below it."""
    block = re.search(rf"^{key}:(.*\n(?:[ \t]*-.*\n)*)", f"{meta}\n", re.MULTILINE)
    return re.findall(r"[\w*][\w./*+-]*", re.sub(r"#.*", "", block[1])) if block else []


def rewrite_meta(text: str) -> str:
    """maubot.yaml with `modules` and `main_class` speaking of the names that are shipped."""
    if _values(text, "modules") != list(SHIPPED_AS):
        raise CannotBuild("maubot.yaml: modules must be haven and plugin, in this order")
    if not re.fullmatch(r"plugin/\w+", "".join(_values(text, "main_class"))):
        raise CannotBuild("maubot.yaml: main_class must be of the form plugin/NameOfTheClass")
    value = re.compile(r"^(?:modules|main_class):.*\n(?:[ \t]*-.*\n)*", re.MULTILINE)
    return value.sub(lambda match: _renamed(match[0]), f"{text.rstrip()}\n")


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each absolute import of one of our packages: its line, and what is wrong with it ("" for nothing)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in SHIPPED_AS:
                    yield (
                        node.lineno,
                        f"write `from {alias.name} import ...`: the package ships under another name",
                    )
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            root = node.module.split(".")[0]
            if root in SHIPPED_AS:
                yield node.lineno, "" if root == "haven" else f"import relatively, not from {node.module}"


def rewrite_source(text: str, name: str) -> str:
    """A Python file whose imports of the mind use the name it ships under; the line numbers stay."""
    lines = text.splitlines(keepends=True)
    for number, wrong in _imports(ast.parse(text, name)):
        if wrong:
            raise CannotBuild(f"{name}:{number}: {wrong}")
        lines[number - 1] = re.sub(r"\bfrom\s+haven\b", "from haven_mind", lines[number - 1], count=1)
    return "".join(lines)


def _files(root: Path, meta: str) -> Iterator[tuple[str, Path]]:
    """What goes in: its name in the archive and where it lies."""
    for package, shipped in SHIPPED_AS.items():
        for path in (root / package).rglob("*"):
            inside = path.relative_to(root / package).as_posix()
            if path.is_file() and not LEFT_OUT.search(inside):
                yield f"{shipped}/{inside}", path
    for pattern in _values(meta, "extra_files"):
        for path in root.glob(pattern):
            name = path.relative_to(root).as_posix()
            if path.is_file() and name.split("/")[0] not in SHIPPED_AS:
                yield name, path


def _content(name: str, path: Path) -> bytes:
    if path.suffix == ".py":
        return rewrite_source(path.read_text(), name).encode()
    return path.read_bytes()


def build(root: Path = ROOT, output: Path | None = None) -> Path:
    """Builds the .mbp from the sources under `root` into a file, or as `haven.mbp` into a directory (usual: `dist/`)."""
    try:
        meta = (root / "maubot.yaml").read_text()
    except FileNotFoundError:
        raise CannotBuild(f"there is no maubot.yaml in {root}") from None
    target = output or root / "dist"
    if target.suffix != ".mbp":
        target = target / "haven.mbp"
    contents = {name: _content(name, path) for name, path in _files(root, meta)}
    contents["maubot.yaml"] = rewrite_meta(meta).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[name])
    return target


def main() -> int:
    """Builds where the command line says."""
    parser = argparse.ArgumentParser(prog="scripts/build_plugin.py", description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, help="a file ending in .mbp, or a directory (usual: dist/haven.mbp)"
    )
    try:
        print(build(output=parser.parse_args().output))
    except CannotBuild as problem:
        print(f"haven: cannot build the plugin: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
