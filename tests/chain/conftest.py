"""A node of one's own, where one can be had."""

import shutil

import pytest
from nodes import started


@pytest.fixture
def node(root):
    """The address of a node of one's own, or a skip that says what is missing."""
    if shutil.which("node") is None or not (root / "contracts/node_modules/.bin/anvil").exists():
        pytest.skip("no node to run on: Node.js and `npm ci` in contracts/ are needed (make chain-node does it)")
    with started(root) as address:
        yield address
