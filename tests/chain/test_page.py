"""The page on contracts says what is: its examples are run, and its gas is what the contracts take."""

import doctest
import json
import re


def test_its_examples(root):
    outcome = doctest.testfile(str(root / "docs/chain.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 12 and outcome.failed == 0


def test_its_gas_is_what_was_measured(root):
    page = (root / "docs/chain.md").read_text(encoding="utf-8")
    table = page.partition("What a transaction takes")[2].partition("\n\nThe contracts")[0]
    shown = {int(figure.replace(" ", "")) for figure in re.findall(r"\d{1,3}(?: \d{3})+", table)}
    measured = json.loads((root / "tests/chain/gas.json").read_text())
    assert len(shown) == 18 and shown <= {gas for case in measured.values() for gas in case.values()}
