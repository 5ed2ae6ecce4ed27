import inspect

import pytest

from mintery import errors
from mintery.cli import exits
from mintery.cli.exits import MEANINGS, ExitCode, exit_code
from mintery.cli.run import run
from mintery.errors import (
    DeploymentMissing,
    GatewayRefused,
    InsufficientBalance,
    LedgerClosed,
    MalformedAmount,
    MinteryError,
    PriceQueued,
    ProviderUnreachable,
    ReceiptRefused,
    RpcUnavailable,
    TransactionMissing,
    TransactionReverted,
    UnknownModel,
    VoucherAlreadyUsed,
    WrongSecret,
)

ALL = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, MinteryError)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReceiptRefused("x"), 1),
        (InsufficientBalance(account="a", required=2, available=1), 3),
        (TransactionReverted("mint", "MintAboveCap", {}), 4),
        (VoucherAlreadyUsed("req_1"), 5),
        (MalformedAmount("x", "y"), 64),
        (UnknownModel("x"), 66),
        (RpcUnavailable("http://x", "y"), 69),
        (ProviderUnreachable("acme"), 69),
        (LedgerClosed(), 70),
        (PriceQueued("x", retry_after=1), 75),
        (TransactionMissing("0x", 1), 75),
        (WrongSecret(), 77),
        (DeploymentMissing("x"), 78),
        (GatewayRefused(402, "insufficient_balance", "x"), 3),
        (GatewayRefused(401, "expired", "x"), 77),
        (GatewayRefused(503, "stale", "x"), 75),
        (GatewayRefused(500, "", "x"), 69),
    ],
)
def test_each_branch_has_its_code(error: MinteryError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    "branch", [error for error in ALL if error.__bases__ == (MinteryError,)], ids=lambda e: e.__name__
)
def test_no_branch_is_forgotten(branch: type[MinteryError]) -> None:
    known = {kind for kind, _ in exits._BY_ERROR}
    unforeseen = {errors.AnswerLost}

    assert branch in known | unforeseen


def test_the_help_tells_every_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    run(["--help"])
    told = capsys.readouterr().out.partition("Exit codes:")[2].splitlines()

    codes = [int(line.split()[0]) for line in told if line.strip()[:1].isdigit()]
    assert codes == list(ExitCode) == list(MEANINGS)
