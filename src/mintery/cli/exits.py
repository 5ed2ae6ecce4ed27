"""How a command ends. The numbers from 64 on are those of sysexits.h; errors map by their branch of the tree, and ``MEANINGS``
says of each number what it tells.
"""

from collections.abc import Mapping
from enum import IntEnum

from mintery.errors import (
    BlockReplaced,
    ChainError,
    CheckFailed,
    ConfigurationError,
    Conflict,
    CredentialRefused,
    FetchFailed,
    GatewayError,
    GatewayRefused,
    LedgerError,
    MalformedInput,
    MinteryError,
    NotAvailable,
    NotFound,
    NotReporter,
    OutcomeMismatch,
    OutOfFunds,
    ProviderFailed,
    QuorumMissing,
    RailError,
    RpcRefused,
    SettlementHalted,
    TransactionMissing,
    TransactionReverted,
)


class ExitCode(IntEnum):
    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    OUT_OF_FUNDS = 3
    CONTRACT_REFUSED = 4
    CONFLICT = 5
    MALFORMED_INPUT = 64
    NOT_FOUND = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    TRY_AGAIN = 75
    REFUSED = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.CHECK_FAILED: "something was checked and is not as it claims",
    ExitCode.USAGE: "the command was given wrongly",
    ExitCode.OUT_OF_FUNDS: "out of funds: the wallet, the account or the voucher holds too little",
    ExitCode.CONTRACT_REFUSED: "a contract refused the transaction",
    ExitCode.CONFLICT: "it was used, answered or decided before",
    ExitCode.MALFORMED_INPUT: "malformed input: an amount, an address, a voucher, a receipt",
    ExitCode.NOT_FOUND: "there is no such thing",
    ExitCode.UNAVAILABLE: "a chain, gateway or provider does not answer",
    ExitCode.INTERNAL: "the ledger contradicts itself, or a fault in Mintery",
    ExitCode.TRY_AGAIN: "right, but not now: try again",
    ExitCode.REFUSED: "a key or voucher was refused",
    ExitCode.CONFIGURATION: "the machine, a file or a setting is not as it must be",
    ExitCode.INTERRUPTED: "interrupted",
}
"""`mintery --help` prints them."""


_BY_ERROR: tuple[tuple[type[MinteryError], ExitCode], ...] = (
    (CheckFailed, ExitCode.CHECK_FAILED),
    (OutOfFunds, ExitCode.OUT_OF_FUNDS),
    (TransactionReverted, ExitCode.CONTRACT_REFUSED),
    (Conflict, ExitCode.CONFLICT),
    (MalformedInput, ExitCode.MALFORMED_INPUT),
    (NotFound, ExitCode.NOT_FOUND),
    (TransactionMissing, ExitCode.TRY_AGAIN),
    (QuorumMissing, ExitCode.TRY_AGAIN),
    (SettlementHalted, ExitCode.TRY_AGAIN),
    (BlockReplaced, ExitCode.CHECK_FAILED),
    (OutcomeMismatch, ExitCode.CHECK_FAILED),
    (NotReporter, ExitCode.REFUSED),
    (ChainError, ExitCode.UNAVAILABLE),
    (FetchFailed, ExitCode.UNAVAILABLE),
    (RailError, ExitCode.UNAVAILABLE),
    (GatewayError, ExitCode.UNAVAILABLE),
    (ProviderFailed, ExitCode.UNAVAILABLE),
    (LedgerError, ExitCode.INTERNAL),
    (NotAvailable, ExitCode.TRY_AGAIN),
    (CredentialRefused, ExitCode.REFUSED),
    (ConfigurationError, ExitCode.CONFIGURATION),
)
"""First match wins, so a branch that differs from its parent stands above it."""

_FUNDS_MISSING = frozenset({"ERC20InsufficientBalance", "ERC20InsufficientAllowance"})

_BY_STATUS = {
    400: ExitCode.MALFORMED_INPUT,
    401: ExitCode.REFUSED,
    402: ExitCode.OUT_OF_FUNDS,
    403: ExitCode.REFUSED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.CONFLICT,
    413: ExitCode.MALFORMED_INPUT,
    422: ExitCode.MALFORMED_INPUT,
    429: ExitCode.TRY_AGAIN,
    503: ExitCode.TRY_AGAIN,
}


def exit_code(error: Exception) -> ExitCode:
    """What a command that met ``error`` exits with."""
    if _lacks_funds(error):
        return ExitCode.OUT_OF_FUNDS
    if isinstance(error, GatewayRefused):
        return _BY_STATUS.get(error.status, ExitCode.UNAVAILABLE)
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)


def _lacks_funds(error: Exception) -> bool:
    if isinstance(error, TransactionReverted):
        return error.error in _FUNDS_MISSING
    return isinstance(error, RpcRefused) and "insufficient funds" in error.message
