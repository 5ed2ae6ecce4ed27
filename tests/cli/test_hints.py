import pytest

from mintery.cli.exits import exit_code
from mintery.cli.hints import hint_for, hint_for_missing, in_plain_words
from mintery.errors import (
    DeploymentMissing,
    GatewayRefused,
    GatewayUnreachable,
    MinteryError,
    PortTaken,
    RpcRefused,
    TransactionReverted,
    UnknownAccountKey,
    UnknownProject,
    VoucherExpired,
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


def test_who_redeems_more_than_there_is_is_told_what_there_is() -> None:
    panic = TransactionReverted("ReserveVault.redeem", "Panic", {"code": 0x11})

    assert "mintery reserve show" in hint_for(panic)
    assert hint_for(TransactionReverted("ReserveVault.mint", "Panic", {"code": 0x11})) == ""


def test_bytes_are_told_as_hex_digits() -> None:
    refused = TransactionReverted("SpendEscrow.cancelExit", "NoExitPending", {"account": b"\x07W"})

    assert str(refused).endswith("NoExitPending(account=0x0757)")
    assert refused.arguments == {"account": "0x0757"}


@pytest.mark.parametrize("option", ["--key", "--api-key", "--operator-key", "--token"])
def test_who_gives_no_key_is_told_where_to_get_one(option: str) -> None:
    assert hint_for_missing(f"Missing option '{option}' (env var: 'MINTERY_X').")


def test_a_missing_amount_needs_no_hint() -> None:
    assert hint_for_missing("Missing argument 'CREDITS'.") == ""


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (
            "Invalid value for 'LOT': Input should be a valid integer, unable to parse string as an integer",
            "Invalid value for 'LOT': it must be a whole number",
        ),
        (
            "Invalid value for 'every': Value error, 'yearly' is not one of 'day', 'week', 'month'.",
            "Invalid value for 'every': 'yearly' is not one of 'day', 'week', 'month'.",
        ),
    ],
)
def test_the_parsers_words_are_said_plainly(theirs: str, ours: str) -> None:
    assert in_plain_words(theirs) == ours


def test_a_refused_connection_is_told_without_the_systems_number() -> None:
    assert str(GatewayUnreachable("http://x", "[Errno 111] Connection refused")) == (
        "no gateway answers at http://x: connection refused"
    )


def test_an_expired_voucher_is_told_with_its_days() -> None:
    assert str(VoucherExpired(deadline=1_800_086_400, usable_until=1_800_082_800)) == (
        "the voucher could be used until 2027-01-16 07:00:00 UTC, which leaves time to settle before its deadline, "
        "2027-01-16 08:00:00 UTC; sign a new one"
    )
