"""CreditToken: ERC-20, EIP-2612 and EIP-3009. TestDollar shares all of it but the vault."""

from dataclasses import dataclass

from mintery.chain.contract import Contract
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.authorizations import RECEIVE_TYPE, TRANSFER_TYPE, authorization_digest, permit_digest, token_domain
from mintery.crypto.keys import PrivateKey, Signature
from mintery.domain.voucher import Address
from mintery.units import CreditUnits, UnixSeconds


@dataclass(frozen=True, slots=True)
class Authorization:
    """A signed EIP-3009 transfer. ``amount`` in the token's base units; valid strictly between its two times."""

    sender: Address
    receiver: Address
    amount: int
    valid_after: UnixSeconds
    valid_before: UnixSeconds
    nonce: bytes
    signature: Signature


class Token(Contract):
    """What every token of ours does. Amounts are its base units."""

    def symbol(self) -> str:
        return str(self.read("symbol"))

    def token_name(self) -> str:
        return str(self.read("name"))

    def decimals(self) -> int:
        return int(self.read("decimals"))

    def permit_nonce(self, owner: Address, *, at: BlockRef | None = None) -> int:
        return int(self.read("nonces", owner, at=at))

    def authorization_used(self, authorizer: Address, nonce: bytes, *, at: BlockRef | None = None) -> bool:
        """Used or cancelled."""
        return bool(self.read("authorizationState", authorizer, nonce, at=at))

    def approve(self, sender: Sender, spender: Address, amount: int) -> TxReceipt:
        return sender.send(self.call("approve", spender, amount))

    def transfer_authorized(self, sender: Sender, signed: Authorization) -> TxReceipt:
        """Relay a signed transfer; anyone may."""
        return sender.send(self.authorized_transfer_call(signed))

    def authorized_transfer_call(self, signed: Authorization) -> Call:
        """For an outbox, which signs, saves, broadcasts and waits in steps of its own."""
        signature = signed.signature
        return self.call(
            "transferWithAuthorization",
            signed.sender,
            signed.receiver,
            signed.amount,
            signed.valid_after,
            signed.valid_before,
            signed.nonce,
            signature.v,
            signature.r,
            signature.s,
        )

    def domain(self) -> bytes:
        """The EIP-712 domain separator that its authorizations and permits are signed for."""
        return token_domain(self.token_name(), self.rpc.chain_id, self.address)

    def sign_authorization(
        self,
        key: PrivateKey,
        receiver: Address,
        amount: int,
        *,
        nonce: bytes,
        valid_before: UnixSeconds,
        valid_after: UnixSeconds = UnixSeconds(0),  # noqa: B008 -- a NewType of an int
        receive: bool = False,
    ) -> Authorization:
        """``receive``: only the receiver may send it (what a deposit needs)."""
        digest = authorization_digest(
            self.domain(),
            RECEIVE_TYPE if receive else TRANSFER_TYPE,
            sender=key.address,
            receiver=receiver,
            amount=amount,
            valid_after=valid_after,
            valid_before=valid_before,
            nonce=nonce,
        )
        signature = key.sign_digest(digest)
        return Authorization(key.address, receiver, amount, valid_after, valid_before, nonce, signature)

    def sign_permit(self, key: PrivateKey, spender: Address, amount: int, *, deadline: UnixSeconds) -> Signature:
        digest = permit_digest(
            self.domain(),
            owner=key.address,
            spender=spender,
            amount=amount,
            nonce=self.permit_nonce(key.address),
            deadline=deadline,
        )
        return key.sign_digest(digest)


class CreditToken(Token):
    """The credits of one project, 18 decimals."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "CreditToken", address)

    def balance_of(self, holder: Address, *, at: BlockRef | None = None) -> CreditUnits:
        return CreditUnits(self.read("balanceOf", holder, at=at))

    def total_supply(self, *, at: BlockRef | None = None) -> CreditUnits:
        return CreditUnits(self.read("totalSupply", at=at))

    def allowance(self, holder: Address, spender: Address, *, at: BlockRef | None = None) -> CreditUnits:
        return CreditUnits(self.read("allowance", holder, spender, at=at))

    def transfer(self, sender: Sender, to: Address, credits_: CreditUnits) -> TxReceipt:
        return sender.send(self.call("transfer", to, credits_))
