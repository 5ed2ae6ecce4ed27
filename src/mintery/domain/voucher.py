"""The holder's signed cumulative promise, and the account it spends."""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from mintery.errors import VoucherExpired, WrongChain, WrongEpoch, WrongGateway, WrongToken
from mintery.units import CreditUnits, NanoCredits, UnixSeconds, nanocredits_down

Address = NewType("Address", str)
"""EIP-55 checksummed, ``0x`` and 40 hex digits."""
AccountId = NewType("AccountId", str)
"""Lower-case ``0x`` and 64 hex digits: keccak256(abi.encode(token, gateway, holder, signer))."""

SECRET_BYTES = 32
KEY_HASH_BYTES = 16


class Kind(StrEnum):
    """The two kinds of project and of route. They never pay for each other."""

    OFFICIAL = "official"
    ROUTED = "routed"


@dataclass(frozen=True, slots=True)
class EscrowDomain:
    """What a voucher's EIP-712 domain binds: one escrow on one chain."""

    chain_id: int
    escrow: Address


@dataclass(frozen=True, slots=True)
class AccountKey:
    """Names one account in the escrow."""

    token: Address
    gateway: Address
    holder: Address
    signer: Address


@dataclass(frozen=True, slots=True)
class Voucher:
    """``SpendVoucher`` of the escrow.

    Attributes:
        max_spend: credit base units that may be spent in all, over the epoch.
        deadline: last second at which it settles.
        key_hash: first 16 bytes of keccak256(secret); the secret travels with the API key, never to the chain.
    """

    token: Address
    gateway: Address
    holder: Address
    epoch: int
    max_spend: CreditUnits
    deadline: UnixSeconds
    key_hash: bytes

    @property
    def max_nanocredits(self) -> NanoCredits:
        return nanocredits_down(self.max_spend)


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher with its EIP-2098 signature: ``r`` and ``vs`` are 32 bytes each."""

    chain_id: int
    voucher: Voucher
    signer: Address
    r: bytes
    vs: bytes

    @property
    def account(self) -> AccountKey:
        voucher = self.voucher
        return AccountKey(voucher.token, voucher.gateway, voucher.holder, self.signer)


@dataclass(frozen=True, slots=True)
class VoucherKey:
    """What an app presents as its API key: a signed voucher with its 32-byte secret."""

    signed: SignedVoucher
    secret: bytes


def check_addressed(signed: SignedVoucher, *, chain_id: int, gateway: Address, tokens: Container[Address]) -> None:
    """Whether a voucher is meant for this gateway at all.

    Raises:
        WrongChain, WrongGateway, WrongToken
    """
    if signed.chain_id != chain_id:
        raise WrongChain(signed.chain_id, chain_id)
    if signed.voucher.gateway != gateway:
        raise WrongGateway(signed.voucher.gateway, gateway)
    if signed.voucher.token not in tokens:
        raise WrongToken(signed.voucher.token)


def check_usable(voucher: Voucher, *, epoch: int, now: UnixSeconds, settle_seconds: int) -> None:
    """Whether a voucher may admit a hold now; ``settle_seconds`` (an exit delay) must remain to its deadline.

    Raises:
        WrongEpoch, VoucherExpired
    """
    if voucher.epoch != epoch:
        raise WrongEpoch(voucher.epoch, epoch)
    usable_until = voucher.deadline - settle_seconds
    if now > usable_until:
        raise VoucherExpired(voucher.deadline, usable_until)
