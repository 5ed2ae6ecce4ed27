"""Signatures over tokens: EIP-3009 authorizations and EIP-2612 permits."""

from collections.abc import Iterable

from mintery.crypto.eip712 import domain_separator, hash_struct, typed_digest
from mintery.crypto.hashing import address_bytes, keccak
from mintery.domain.voucher import AccountKey

_AUTHORIZATION_FIELDS = "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
RECEIVE_TYPE = "ReceiveWithAuthorization" + _AUTHORIZATION_FIELDS
TRANSFER_TYPE = "TransferWithAuthorization" + _AUTHORIZATION_FIELDS
PERMIT_TYPE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
DEPOSIT_ACTION = keccak(b"MinteryDeposit")
TOP_UP_ACTION = keccak(b"MinteryTopUp")
MINT_ACTION = keccak(b"MinteryMint")


def token_domain(name: str, chain_id: int, token: str, *, version: str = "1") -> bytes:
    """The domain separator of a token: its ERC-20 name, and version "1" for those of ours."""
    return domain_separator(name, version, chain_id, token)


def authorization_digest(
    separator: bytes,
    struct_type: str,
    *,
    sender: str,
    receiver: str,
    amount: int,
    valid_after: int,
    valid_before: int,
    nonce: bytes,
) -> bytes:
    """``struct_type`` is RECEIVE_TYPE or TRANSFER_TYPE; the amount in the token's base units; times in unix seconds."""
    return typed_digest(separator, hash_struct(struct_type, sender, receiver, amount, valid_after, valid_before, nonce))


def permit_digest(separator: bytes, *, owner: str, spender: str, amount: int, nonce: int, deadline: int) -> bytes:
    return typed_digest(separator, hash_struct(PERMIT_TYPE, owner, spender, amount, nonce, deadline))


def deposit_nonce(key: AccountKey, credit_base_units: int, salt: bytes) -> bytes:
    """The EIP-3009 nonce that binds an authorization to one deposit, as ``SpendEscrow.depositNonce``."""
    return _bound(DEPOSIT_ACTION, (key.token, key.gateway, key.holder, key.signer), credit_base_units, salt)


def top_up_nonce(key: AccountKey, min_credit_base_units: int, salt: bytes) -> bytes:
    """The nonce that binds an authorization of the asset, to the vault, to one top-up, as ``SpendEscrow.topUpNonce``."""
    return _bound(TOP_UP_ACTION, (key.token, key.gateway, key.holder, key.signer), min_credit_base_units, salt)


def mint_nonce(token: str, payer: str, to: str, *, min_credit_base_units: int, salt: bytes) -> bytes:
    """The nonce that binds an authorization of the asset to one mint, as ``ReserveVault.mintNonce``."""
    return _bound(MINT_ACTION, (token, payer, to), min_credit_base_units, salt)


def _bound(action: bytes, parties: Iterable[str], amount: int, salt: bytes) -> bytes:
    words = (address_bytes(party).rjust(32, b"\0") for party in parties)
    return keccak(b"".join((action, *words, amount.to_bytes(32), salt)))
