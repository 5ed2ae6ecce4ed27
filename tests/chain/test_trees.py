"""Beside each contract test stands the tree of its branches, and every refusal in a tree is one that the test expects."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2] / "contracts" / "test"
KINDS = ("CreditToken", "MinteryFactory", "PriceFeed", "PriceOracle", "ProviderRegistry", "ReserveVault", "SpendEscrow")
SUBJECTS = sorted(path for kind in KINDS for path in (TESTS / kind).glob("*.t.sol") if not path.name.startswith("gas."))
BASE = re.compile(r'from "(\.\./\w+\.sol)"')
REFUSAL = re.compile(r"reverts? with ([A-Z]\w+)(?: or ([A-Z]\w+))?")


def _with_bases(subject: Path) -> str:
    text = subject.read_text(encoding="utf-8")
    bases = ((subject.parent / base).read_text(encoding="utf-8") for base in BASE.findall(text))
    return "".join((text, *bases))


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_tree_lists_refusals_that_are_tested(subject: Path):
    tree = subject.with_name(subject.name.replace(".t.sol", ".tree")).read_text(encoding="utf-8")
    test = _with_bases(subject)

    named = {name for pair in REFUSAL.findall(tree) for name in pair if name}

    assert {name for name in named if name not in test} == set()
    assert "└── " in tree
