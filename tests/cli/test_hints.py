import pytest

from mintery.cli.exits import exit_code
from mintery.cli.hints import hint_for
from mintery.errors import (
    DeploymentMissing,
    GatewayRefused,
    MinteryError,
    PortTaken,
    RpcRefused,
    TransactionReverted,
    UnknownAccountKey,
    UnknownProject,
)

CREDIT = 10**18
POOR = {"sender": "0xab", "balance": 750 * CREDIT, "needed": 10_000 * CREDIT}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            TransactionReverted("CreditToken.transfer", "ERC20InsufficientBalance", POOR),
            "750 credits, not 10,000 credits",
        ),
        (
            TransactionReverted(
                "ReserveVault.mint", "ERC20InsufficientBalance", {**POOR, "balance": 1, "needed": 10**7}
            ),
            "0.000001 USD of the 10 USD",
        ),
        (
            TransactionReverted(
                "SpendEscrow.topUp", "ERC20InsufficientBalance", {**POOR, "balance": 1, "needed": 10**7}
            ),
            "0.000001 USD of the 10 USD",
        ),
        (TransactionReverted("SpendEscrow.deposit", "DepositNotAccepted", {"token": "0x"}), "mintery project list"),
        (TransactionReverted("SpendEscrow.executeExit", "ExitLocked", {"now_": 0, "unlock": 86_400}), "1970-01-02"),
        (TransactionReverted("SpendEscrow.deposit", "NotWholeNanocredits", {"credits": 1}), "at most 9 digits"),
        (RpcRefused("eth_sendRawTransaction", -32000, "insufficient funds for gas * price + value"), "ether"),
        (GatewayRefused(402, "insufficient_balance", "x"), "mintery deposit"),
        (DeploymentMissing("x"), "MINTERY_HOME"),
        (PortTaken("127.0.0.1", 8545), "--rpc-port"),
        (UnknownProject("PXAI", ("PXAI 0xab", "PXAI 0xcd")), "--token"),
        (UnknownProject(None, ()), "mintery project open"),
    ],
)
def test_an_error_says_what_to_do(error: MinteryError, said: str) -> None:
    assert said in hint_for(error)
    assert "\n" not in hint_for(error)


@pytest.mark.parametrize(
    "error",
    [
        TransactionReverted("CreditToken.transfer", "ERC20InsufficientBalance", POOR),
        RpcRefused("eth_sendRawTransaction", -32000, "insufficient funds for gas * price + value"),
    ],
)
def test_an_empty_wallet_is_out_of_funds(error: MinteryError) -> None:
    assert exit_code(error) == 3


@pytest.mark.parametrize("pasted", ["0x" + "11" * 32, "11" * 32, " ".join(["abandon"] * 12)])
def test_a_key_given_in_place_of_its_name_is_not_repeated(pasted: str) -> None:
    error = UnknownAccountKey(pasted)

    assert pasted not in str(error) + str(vars(error))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("nope", "no project 'nope'"), ("pxai", "2 projects are called 'pxai'"), (None, "which project?")],
)
def test_a_project_that_was_not_found_is_told_with_those_there_are(wanted: str | None, said: str) -> None:
    error = UnknownProject(wanted, ("PXAI 0xab", "PXAI 0xcd"))

    assert str(error) == f"{said}{'' if wanted != 'nope' else ' here'}; open here: PXAI 0xab, PXAI 0xcd"
