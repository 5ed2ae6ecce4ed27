"""SpendEscrow: accounts that a gateway may spend by vouchers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mintery.chain.contract import Contract
from mintery.chain.credit_token import Authorization
from mintery.chain.packing import pack_lines, pack_usage
from mintery.chain.read_many import AT_ONCE, read_accounts_call, split_words
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.keys import Signature
from mintery.crypto.vouchers import account_id
from mintery.domain.batch import Batch
from mintery.domain.voucher import AccountKey, Address, EscrowDomain, Voucher
from mintery.units import CreditUnits, UnixSeconds


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one block. Amounts are credit base units.

    Attributes:
        spent: spent and settled in this epoch.
        exit_amount: the pending exit, 0 when none.
        exit_unlock: when the pending exit may be executed, 0 when none.
        closing: the pending exit takes everything and ends the epoch.
    """

    balance: CreditUnits
    spent: CreditUnits
    epoch: int
    exit_amount: CreditUnits
    exit_unlock: UnixSeconds
    closing: bool


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds and has settled in this epoch, at one block. Amounts are credit base units."""

    balance: CreditUnits
    spent: CreditUnits
    epoch: int


_CALLS_IN_ONE = 10


def _key(key: AccountKey) -> tuple[str, ...]:
    return (key.token, key.gateway, key.holder, key.signer)


def _id_bytes(key: AccountKey) -> bytes:
    return bytes.fromhex(account_id(key)[2:])


def _account(fields: Any) -> Account:
    return Account(
        balance=CreditUnits(fields["balance"]),
        spent=CreditUnits(fields["spent"]),
        epoch=fields["epoch"],
        exit_amount=CreditUnits(fields["exitAmount"]),
        exit_unlock=UnixSeconds(fields["exitUnlock"]),
        closing=fields["closing"],
    )


class SpendEscrow(Contract):
    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "SpendEscrow", address)

    @property
    def domain(self) -> EscrowDomain:
        return EscrowDomain(self.rpc.chain_id, self.address)

    def exit_delay(self) -> int:
        """Seconds."""
        return int(self.read("EXIT_DELAY"))

    def account_of(self, key: AccountKey, *, at: BlockRef | None = None) -> Account:
        return _account(self.read("accountOf", _id_bytes(key), at=at))

    def accounts_of(self, keys: Sequence[AccountKey], *, at: BlockRef) -> list[Account]:
        """Each whole, pending exits included, in their order; for the few of one holder."""
        return [_account(fields) for fields in self.read_each("accountOf", map(_id_bytes, keys), at=at)]

    def positions_of(self, keys: Sequence[AccountKey], *, at: BlockRef) -> list[Position]:
        """What many accounts hold at one block, in their order: some hundreds for each call.

        Raises:
            TransactionReverted: there is no escrow at this address.
        """
        ids, selector = [_id_bytes(key) for key in keys], self.abi.selector("accountOf")
        chunks = range(0, len(ids), AT_ONCE)
        calls = [read_accounts_call(self.address, selector, ids[start : start + AT_ONCE]) for start in chunks]
        # A few of these fill an answer as a hundred small ones do.
        answers = [
            answer
            for first in range(0, len(calls), _CALLS_IN_ONE)
            for answer in self.rpc.call_all(calls[first : first + _CALLS_IN_ONE], at=at)
        ]
        return [
            Position(CreditUnits(balance), CreditUnits(spent), epoch)
            for answer in answers
            for balance, spent, epoch in split_words(answer)
        ]

    def next_batch_id(self, gateway: Address, *, at: BlockRef | None = None) -> int:
        return int(self.read("nextBatchId", gateway, at=at))

    def total_balance(self, token: Address, *, at: BlockRef | None = None) -> CreditUnits:
        return CreditUnits(self.read("totalBalance", token, at=at))

    def is_settler(self, gateway: Address, settler: Address, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("isSettler", gateway, settler, at=at))

    def paused_until(self, *, at: BlockRef | None = None) -> UnixSeconds:
        """In the future while settlement is paused; 0 when it never was."""
        return UnixSeconds(self.read("settlementPausedUntil", at=at))

    def voucher_digest(self, voucher: Voucher) -> bytes:
        """The contract's own digest, to compare with ours."""
        digest: bytes = self.read(
            "voucherDigest",
            voucher.token,
            voucher.gateway,
            voucher.holder,
            voucher.epoch,
            voucher.max_spend,
            voucher.deadline,
            voucher.key_hash,
        )
        return digest

    def appoint_settler(self, gateway: Sender, settler: Address) -> TxReceipt:
        """Sent by the gateway's own key."""
        return gateway.send(self.call("appointSettler", settler))

    def revoke_settler(self, gateway: Sender, settler: Address) -> TxReceipt:
        return gateway.send(self.call("revokeSettler", settler))

    def deposit(self, holder: Sender, key: AccountKey, credits_: CreditUnits) -> TxReceipt:
        """Needs the token's approval of this escrow. The sender is the account's holder."""
        return holder.send(self.call("deposit", key.token, key.gateway, key.signer, credits_))

    def deposit_with_permit(
        self, holder: Sender, key: AccountKey, credits_: CreditUnits, *, deadline: UnixSeconds, permit: Signature
    ) -> TxReceipt:
        return holder.send(
            self.call(
                "depositWithPermit",
                key.token,
                key.gateway,
                key.signer,
                credits_,
                deadline,
                permit.v,
                permit.r,
                permit.s,
            )
        )

    def deposit_with_authorization(
        self, relayer: Sender, key: AccountKey, salt: bytes, signed: Authorization
    ) -> TxReceipt:
        """``signed`` is a receive authorization to this escrow whose nonce is ``deposit_nonce(key, credits, salt)``."""
        return relayer.send(self.authorized_deposit_call(key, salt, signed))

    def authorized_deposit_call(self, key: AccountKey, salt: bytes, signed: Authorization) -> Call:
        """For an outbox, as ``settle_call``."""
        return self.call(
            "depositWithAuthorization",
            _key(key),
            signed.amount,
            salt,
            signed.valid_after,
            signed.valid_before,
            signed.signature.long,
        )

    def top_up(
        self, relayer: Sender, key: AccountKey, salt: bytes, signed: Authorization, *, min_credits: CreditUnits
    ) -> TxReceipt:
        """From the asset into the account. ``signed`` is the holder's receive authorization of the asset, to the vault,
        whose nonce is ``top_up_nonce(key, min_credits, salt)``.
        """
        return relayer.send(self.top_up_call(key, salt, signed, min_credits=min_credits))

    def top_up_call(self, key: AccountKey, salt: bytes, signed: Authorization, *, min_credits: CreditUnits) -> Call:
        """For an outbox, as ``settle_call``."""
        return self.call(
            "topUp",
            _key(key),
            signed.amount,
            min_credits,
            salt,
            signed.valid_after,
            signed.valid_before,
            signed.signature.long,
        )

    def start_exit(self, holder: Sender, key: AccountKey, credits_: CreditUnits) -> TxReceipt:
        return holder.send(self.start_exit_call(key, credits_))

    def start_exit_call(self, key: AccountKey, credits_: CreditUnits) -> Call:
        """For the holder's own wallet to send; likewise those of the other steps."""
        return self.call("startExit", key.token, key.gateway, key.signer, credits_)

    def start_close(self, holder: Sender, key: AccountKey) -> TxReceipt:
        """Everything, and the end of the epoch: every voucher of this signer ends with it."""
        return holder.send(self.start_close_call(key))

    def start_close_call(self, key: AccountKey) -> Call:
        return self.call("startClose", key.token, key.gateway, key.signer)

    def cancel_exit(self, holder: Sender, key: AccountKey) -> TxReceipt:
        return holder.send(self.cancel_exit_call(key))

    def cancel_exit_call(self, key: AccountKey) -> Call:
        return self.call("cancelExit", key.token, key.gateway, key.signer)

    def execute_exit(self, sender: Sender, key: AccountKey) -> TxReceipt:
        """Anyone may send it; it pays the holder."""
        return sender.send(self.execute_exit_call(key))

    def execute_exit_call(self, key: AccountKey) -> Call:
        return self.call("executeExit", _key(key))

    def release(self, settler: Sender, key: AccountKey, credits_: CreditUnits) -> TxReceipt:
        return settler.send(self.release_call(key, credits_))

    def release_call(self, key: AccountKey, credits_: CreditUnits) -> Call:
        """For an outbox, as ``settle_call``."""
        return self.call("release", _key(key), credits_)

    def settle_call(self, batch: Batch) -> Call:
        """For the outbox, which signs, saves, broadcasts and waits in steps of its own."""
        tokens: Sequence[tuple[Any, ...]] = [
            (part.token, part.requests, pack_lines(part.lines), pack_usage(part.usage)) for part in batch.tokens
        ]
        return self.call("settle", batch.gateway, batch.batch_id, batch.receipts_root, tokens)

    def settle(self, settler: Sender, batch: Batch) -> TxReceipt:
        return settler.send(self.settle_call(batch))

    def pause_settlement(self, guardian: Sender, seconds: int) -> TxReceipt:
        return guardian.send(self.call("pauseSettlement", seconds))
