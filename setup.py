"""Tells setuptools, beside pyproject.toml, that the wheel ships bridge/ as `haven_bridge` and haven/ as `haven`.

The lists are found, not written down, so that a new subpackage cannot be forgotten. Imports inside bridge/ are relative: both names work.
"""

from setuptools import find_packages, setup

mind = find_packages(include=["haven", "haven.*"])
bridge = [f"haven_{name}" for name in find_packages(include=["bridge", "bridge.*"])]

setup(packages=[*mind, *bridge], package_dir={"haven_bridge": "bridge"})
