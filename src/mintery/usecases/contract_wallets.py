"""Holders whose wallet is a contract, like a multisig or a smart account. They sign in by what their wallet says of a signature
(ERC-1271), and read, limit and take back as everyone does.

Such a wallet has no key: it signs no voucher, so an account of its names a key as its signer, and it signs no authorization that
is relayed for it, so it sends transactions of its own. What it cannot do here is refused with the calls that do it.
"""

import re
from collections.abc import Sequence

from mintery.chain.rpc import Call, Rpc
from mintery.chain.wallet_signatures import MOST_SIGNATURE_BYTES, accepts, is_contract, is_counterfactual, unwrapped
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import (
    MalformedInput,
    OwnTransactionNeeded,
    RailNotOffered,
    SignerNeeded,
    SignInRefused,
    TransactionReverted,
    WalletNotDeployed,
)
from mintery.units import AssetUnits, CreditUnits
from mintery.usecases.onchain import OnChain
from mintery.usecases.relay import Relay

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


def read_signature(text: str) -> bytes:
    """Of any form that a wallet may have; none at all where it has signed on chain. Raises MalformedInput."""
    if not _HEX.fullmatch(text) or len(text) > 2 + 2 * MOST_SIGNATURE_BYTES:
        raise MalformedInput(f"a signature is 0x and hex of at most {MOST_SIGNATURE_BYTES} bytes")
    return bytes.fromhex(text[2:])


def check_wallet_signed(rpc: Rpc, wallet: Address, digest: bytes, signature: bytes) -> None:
    """By what the contract at ``wallet`` says, at the newest block that the endpoints agree on.

    Raises:
        SignInRefused, WalletNotDeployed, ChainError
    """
    at = rpc.block()
    if not is_contract(rpc.code(wallet, at=at)):
        if is_counterfactual(signature):
            raise WalletNotDeployed(wallet)
        raise SignInRefused(f"{wallet} did not sign it")
    try:
        signed = accepts(rpc, wallet, digest, unwrapped(signature), at=at)
    except MalformedInput:
        raise SignInRefused("the signature cannot be read") from None
    except TransactionReverted:
        signed = False
    if not signed:
        raise SignInRefused(f"the contract wallet {wallet} does not say that it signed it")


def is_contract_wallet(chain: OnChain, address: Address) -> bool:
    """Raises ChainError."""
    return is_contract(chain.rpc.code(address, at=chain.rpc.block()))


def check_signer(relay: Relay | None, holder: Address, signer: Address) -> None:
    """Whether vouchers of ``signer`` can spend an account of the holder's. Where no chain is open, nobody can say.

    Raises:
        SignerNeeded, ChainError
    """
    if relay is not None and is_contract_wallet(relay.chain, signer):
        raise SignerNeeded(holder, signer)


def check_sends_by_key(chain: OnChain, holder: Address, token: Address, to: Address, amount: CreditUnits) -> None:
    """Raises OwnTransactionNeeded, ChainError."""
    if is_contract_wallet(chain, holder):
        call = chain.token(token).call("transfer", to, amount)
        raise _own(holder, "sends credits", [(call, f"transfer({to}, {amount})")])


def check_deposits_by_key(chain: OnChain, key: AccountKey, amount: CreditUnits) -> None:
    """Raises OwnTransactionNeeded, SignerNeeded, MalformedInput, ChainError."""
    if not is_contract_wallet(chain, key.holder):
        if key.signer != key.holder:
            raise MalformedInput("`signer` is for contract wallets: a key signs for its own account")
        return
    if is_contract_wallet(chain, key.signer):
        raise SignerNeeded(key.holder, key.signer)
    escrow = chain.escrow
    approval = chain.token(key.token).call("approve", escrow.address, amount)
    deposit = escrow.call("deposit", key.token, key.gateway, key.signer, amount)
    steps = [
        (approval, f"approve({escrow.address}, {amount})"),
        (deposit, f"deposit({key.token}, {key.gateway}, {key.signer}, {amount})"),
    ]
    raise _own(key.holder, "makes credits spendable", steps)


def check_pays_by_key(chain: OnChain, holder: Address, token: Address, assets: AssetUnits, bought: CreditUnits) -> None:
    """Raises OwnTransactionNeeded, ChainError."""
    if not is_contract_wallet(chain, holder):
        return
    approval = chain.asset.call("approve", chain.vault.address, assets)
    mint = chain.vault.call("mint", token, bought, assets, holder)
    steps = [
        (approval, f"approve({chain.vault.address}, {assets})"),
        (mint, f"mint({token}, {bought}, {assets}, {holder})"),
    ]
    raise _own(holder, "buys credits", steps)


def check_returns_by_key(chain: OnChain, holder: Address, rail: str) -> None:
    """Raises RailNotOffered, ChainError."""
    if is_contract_wallet(chain, holder):
        raise RailNotOffered(rail, "a contract wallet signs no credits over to the treasury: take them to the wallet")


def _own(holder: Address, does: str, steps: Sequence[tuple[Call, str]]) -> OwnTransactionNeeded:
    return OwnTransactionNeeded(
        f"the contract wallet {holder} {does} by transactions of its own: {', then '.join(shown for _, shown in steps)}",
        [{"to": str(call.to), "call": shown, "data": "0x" + call.calldata.hex()} for call, shown in steps],
    )
