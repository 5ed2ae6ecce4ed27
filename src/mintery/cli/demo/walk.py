"""The steps in their order."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from mintery.cli.demo import minting, spending
from mintery.cli.demo.figures import Figure
from mintery.cli.demo.steps import Act, Demo, Step

ACTS: tuple[tuple[str, Act], ...] = (
    ("Start a chain", minting.start_chain),
    ("Open a project", minting.open_the_project),
    ("Lock reserve, mint", minting.lock_and_mint),
    ("Send", minting.send),
    ("Deposit", minting.put_in_escrow),
    ("Sign a voucher", spending.sign_the_voucher),
    ("Pay a call", spending.pay_json),
    ("Pay a streamed call", spending.pay_stream),
    ("Verify receipts", spending.verify_receipts),
    ("Settle", spending.settle),
    ("Pay the provider", spending.withdraw),
    ("Compare everything", spending.compare),
)


def walk(begin: Callable[[str], None], end: Callable[[Step], None]) -> tuple[Figure, ...]:
    """Every step; ``begin`` hears its name, ``end`` what came of it. The last step's figures.

    Raises:
        ReconciliationFailed: a figure is wrong; nothing after it is done.
        MinteryError: whatever else a step meets.
    """
    with ExitStack() as scope:
        demo = Demo(scope)
        for name, act in ACTS:
            begin(name)
            begun = time.monotonic()
            told, facts = act(demo)
            end(Step(name, told, facts, time.monotonic() - begun))
        return demo.figures
