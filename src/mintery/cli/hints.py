"""What to do about an error, where its own hint cannot know: a contract's refusals, in words and in whole credits."""

import re
from collections.abc import Callable, Mapping

from mintery.cli.money import assets_text, credits_text, time_text
from mintery.errors import GatewayRefused, MinteryError, RpcRefused, TransactionReverted
from mintery.units import AssetUnits, CreditUnits, UnixSeconds

Arguments = Mapping[str, int]
_UNDERFLOW = 0x11
"""What Solidity panics with where a subtraction would go below zero."""


def hint_for(error: MinteryError) -> str:
    """One line, or empty."""
    if isinstance(error, TransactionReverted) and (say := _BY_REFUSAL.get(error.error)):
        return say(error.action, {name: value for name, value in error.arguments.items() if isinstance(value, int)})
    if isinstance(error, RpcRefused) and "insufficient funds" in error.message:
        return "The key's address has too little of the chain's own coin (ether) to pay the fee."
    if isinstance(error, GatewayRefused) and error.status in _BY_STATUS:
        return _BY_STATUS[error.status]
    return error.hint


def _too_little(action: str, arguments: Arguments) -> str:
    has, needs = arguments["balance"], arguments["needed"]
    if action.startswith(("ReserveVault.mint", "SpendEscrow.topUp")):
        return f"The wallet holds {assets_text(AssetUnits(has))} of the {assets_text(AssetUnits(needs))} to be locked."
    held = f"The wallet holds {credits_text(CreditUnits(has))}, not {credits_text(CreditUnits(needs))}"
    return f"{held}; `mintery exit start` brings back what is in escrow."


def _locked(_action: str, arguments: Arguments) -> str:
    return f"Execute it from {time_text(UnixSeconds(arguments['unlock']))}, in the chain's time."


def _overdrawn(action: str, arguments: Arguments) -> str:
    if arguments.get("code") == _UNDERFLOW and action.startswith("ReserveVault.redeem"):
        return "Nobody has that many credits: `mintery reserve show` says how many there are."
    return ""


def _plain(words: str) -> Callable[[str, Arguments], str]:
    return lambda _action, _arguments: words


_BY_REFUSAL: Mapping[str, Callable[[str, Arguments], str]] = {
    "ERC20InsufficientBalance": _too_little,
    "ExitLocked": _locked,
    "ERC20InvalidReceiver": _plain("Credits sent there would be lost; name the receiver's own address."),
    "MintAboveCap": _plain("The project's supply may grow no further in these 24 h; mint less, or later."),
    "MintNotPublic": _plain("Only the issuer mints these credits: sign with its --key, or have some sent to you."),
    "DepositNotAccepted": _plain(
        "The project is retired, or the token is none of this vault's; `mintery project list` says."
    ),
    "Panic": _overdrawn,
    "NoExitPending": _plain("Begin one with `mintery exit start`."),
    "NotWholeNanocredits": _plain("Write at most 9 digits after the point: a billionth of a credit is the least."),
    "NothingToWithdraw": _plain("Nothing is owed yet; `mintery settle` settles what was charged."),
    "ZeroCredits": _plain("The amount must be above zero."),
}

_BY_STATUS: Mapping[int, str] = {
    402: "The commands are `mintery topup`, `mintery deposit`, `mintery voucher sign` and `mintery limit change`.",
}

_BY_OPTION: Mapping[str, str] = {
    "--api-key": "`mintery up` prints one to try out; `mintery voucher sign` and `mintery key create` make one.",
    "--key": "On a local chain: --key dev:holder, or dev:issuer who mints. Else a keystore file, or the name of a variable.",
    "--operator-key": "`mintery up --json` shows one; a gateway's is MINTERY_OPERATOR_KEY, where it runs.",
    "--token": "`mintery project list` shows the projects' tokens.",
}


def hint_for_missing(message: str) -> str:
    """One line, or empty: where to get the option that the parser's ``message`` misses."""
    found = re.match(r"Missing option '([\w-]+)'", message)
    return _BY_OPTION.get(found[1], "") if found else ""


_PARSERS_WORDS = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole number",
    "Input should be less than": "it must be less than",
    "Input should be greater than": "it must be greater than",
    "Input should be": "it must be",
}


def in_plain_words(message: str) -> str:
    """The parser's ``message`` to somebody who gave a command wrongly, without what only its authors understand."""
    for theirs, ours in _PARSERS_WORDS.items():
        message = message.replace(theirs, ours)
    return message
