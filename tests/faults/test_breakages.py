"""The harness can fail: a product that is broken on purpose, in the forked gateways alone, is found out within few seeds."""

import subprocess
import sys

import pytest

SECONDS = 400


@pytest.mark.parametrize(
    ("breakage", "found"),
    [("join_nothing", "charged"), ("overlook_settlements", "reconciliation")],
)
def test_a_broken_product_is_found_out(breakage: str, found: str):
    command = [sys.executable, "-m", "tests.faults", "--seeds", "0:60", "--break", breakage]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    assert ended.returncode == 1, ended.stderr[-2_000:]
    accusations = [line for line in ended.stdout.splitlines() if line.startswith("WRONG:")]
    assert any(found in line for line in accusations), ended.stdout[-4_000:]
