"""The picture of the house in docs/design.md is the house: every room, no other, in the order of its floors."""

import re
import tomllib

import pytest


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "design.md").read_text(encoding="utf-8")


def rooms(page):
    """The paths in the picture, in order: a name ends in `/` or `.py`, and stands two places deeper than its room."""
    picture = re.search(r"^```\nflnft_sim/\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)[1]
    found, above = [], []
    for line in picture.splitlines():
        indent, name = re.match(r"( +)(\w+(?:/|\.py))  +\S", line).groups()
        above = [*above[: len(indent) // 2 - 1], name]
        found.append("".join(above))
    return found


def layers(root):
    """The floors that import-linter holds, highest first; each the names of its rooms."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    floors = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[room.strip().removeprefix("flnft_sim.") for room in floor.split("|")] for floor in floors], contracts


def test_every_room_is_in_the_picture_and_no_other(root, page):
    package = root / "flnft_sim"
    folders = {f"{path.parent.relative_to(package)}/" for path in package.rglob("*/__init__.py")}
    files = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    pictured = rooms(page)
    assert len(pictured) == len(set(pictured))
    assert set(pictured) == folders | files, "docs/design.md: bring the picture up to date"


def test_the_floors_stand_in_the_order_of_imports(root, page):
    floors, contracts = layers(root)
    height = {room: number for number, floor in enumerate(floors) for room in floor}
    pictured = [name for room in rooms(page) if (name := room.rstrip("/").removesuffix(".py")) in height]
    assert pictured == sorted(pictured, key=height.__getitem__), "docs/design.md: rooms stand on other floors"
    assert set(pictured) == set(height), "docs/design.md: bring the picture up to date"
    assert re.findall(r"^- \*(.+)\*$", page, flags=re.MULTILINE) == [contract["name"] for contract in contracts]


def test_what_the_walks_call_exists(root, page):
    code = "\n".join(path.read_text(encoding="utf-8") for path in (root / "flnft_sim").rglob("*.py"))
    named = re.findall(r"`([A-Z]\w+)(?:\.(\w+))?`", page)
    assert named
    for kind, method in named:
        assert f"\nclass {kind}" in code, kind
        assert not method or re.search(rf"\n    def {method}\(", code), method
