"""ReserveVault: projects, their reserve, and what is owed to providers."""

from collections.abc import Sequence
from dataclasses import dataclass

from mintery.chain.contract import Contract
from mintery.chain.credit_token import Authorization
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.chain.terms import Terms, kind_of
from mintery.domain.voucher import Address, Kind
from mintery.units import AssetUnits, BasisPoints, CreditUnits, Par, UnixSeconds


@dataclass(frozen=True, slots=True)
class VaultProject:
    """``IReserveVault.Project``: a project's terms and its accounts at one block.

    Attributes:
        reserve: assets that back the supply (S1).
        margin: assets that ``fee_recipient`` may withdraw.
        retired_at: 0 when not retired.
    """

    token: Address
    issuer: Address
    fee_recipient: Address
    par: Par
    markup: BasisPoints
    kind: Kind
    public_mint: bool
    allowlist: bool
    retired_at: UnixSeconds
    reserve: AssetUnits
    margin: AssetUnits
    mint_cap: CreditUnits
    payout_cap: AssetUnits


class ReserveVault(Contract):
    """Reads are of one block where ``at`` is given. Amounts: credits 18 decimals, assets 6."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "ReserveVault", address)

    def asset(self) -> Address:
        return Address(self.read("ASSET"))

    def token_deployer(self) -> Address:
        """What deploys credit tokens for this vault."""
        return Address(self.read("TOKEN_DEPLOYER"))

    def escrow(self, *, at: BlockRef | None = None) -> Address:
        """The zero address until it is set."""
        return Address(self.read("escrow", at=at))

    def project_of(self, token: Address, *, at: BlockRef | None = None) -> VaultProject:
        """Raises TransactionReverted (UnknownProject) for a token that the vault did not open."""
        fields = self.read("projectOf", token, at=at)
        return VaultProject(
            token=token,
            issuer=fields["issuer"],
            fee_recipient=fields["feeRecipient"],
            par=Par(fields["par"]),
            markup=BasisPoints(fields["markupBps"]),
            kind=kind_of(fields["kind"]),
            public_mint=fields["publicMint"],
            allowlist=fields["allowlist"],
            retired_at=UnixSeconds(fields["retiredAt"]),
            reserve=AssetUnits(fields["reserve"]),
            margin=AssetUnits(fields["margin"]),
            mint_cap=CreditUnits(fields["mintCap"]),
            payout_cap=AssetUnits(fields["payoutCap"]),
        )

    def has_provider(self, token: Address, provider_id: int, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("hasProvider", token, provider_id, at=at))

    def is_listed(self, token: Address, member: Address, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("isListed", token, member, at=at))

    def is_project(self, token: Address, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("isProject", token, at=at))

    def accepts_deposits(self, token: Address, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("acceptsDeposits", token, at=at))

    def owed_to(self, provider_id: int, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("owedTo", provider_id, at=at))

    def total_claims(self, *, at: BlockRef | None = None) -> AssetUnits:
        """The sum of reserves, margins and what is owed (S2's right side)."""
        return AssetUnits(self.read("totalClaims", at=at))

    def preview_mint(self, token: Address, credits_: CreditUnits, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("previewMint", token, credits_, at=at))

    def preview_redeem(self, token: Address, credits_: CreditUnits, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("previewRedeem", token, credits_, at=at))

    def mint_room(self, token: Address, *, at: BlockRef | None = None) -> CreditUnits:
        return CreditUnits(self.read("mintRoom", token, at=at))

    def payout_room(self, token: Address, gateway: Address, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("payoutRoom", token, gateway, at=at))

    def project_count(self, issuer: Address, *, at: BlockRef | None = None) -> int:
        return int(self.read("projectCount", issuer, at=at))

    def open_project(self, issuer: Sender, terms: Terms) -> TxReceipt:
        """``opened_token`` finds the token in the receipt."""
        return issuer.send(self.call("openProject", terms.as_tuple()))

    def mint(
        self, payer: Sender, token: Address, credits_: CreditUnits, *, max_assets: AssetUnits, to: Address
    ) -> TxReceipt:
        """Needs the asset's approval of this vault."""
        return payer.send(self.call("mint", token, credits_, max_assets, to))

    def mint_with_authorization(
        self,
        relayer: Sender,
        token: Address,
        salt: bytes,
        signed: Authorization,
        *,
        min_credits: CreditUnits,
        to: Address,
    ) -> TxReceipt:
        """As many credits as ``signed`` pays for: the payer's receive authorization of the asset, to this vault, whose nonce
        is ``mint_nonce(token, payer, to, min_credits, salt)``. Anyone may relay it.
        """
        return relayer.send(self.authorized_mint_call(token, salt, signed, min_credits=min_credits, to=to))

    def authorized_mint_call(
        self, token: Address, salt: bytes, signed: Authorization, *, min_credits: CreditUnits, to: Address
    ) -> Call:
        """For an outbox, which signs, saves, broadcasts and waits in steps of its own."""
        authorization = (
            signed.sender,
            signed.amount,
            signed.valid_after,
            signed.valid_before,
            signed.signature.long,
        )
        return self.call("mintWithAuthorization", token, to, min_credits, salt, authorization)

    def redeem(
        self, holder: Sender, token: Address, credits_: CreditUnits, *, min_assets: AssetUnits, receiver: Address
    ) -> TxReceipt:
        return holder.send(self.redeem_call(token, credits_, min_assets=min_assets, receiver=receiver))

    def redeem_call(self, token: Address, credits_: CreditUnits, *, min_assets: AssetUnits, receiver: Address) -> Call:
        """For the holder's own wallet to send."""
        return self.call("redeem", token, credits_, min_assets, receiver)

    def withdraw_owed(self, sender: Sender, provider_id: int, *, min_assets: AssetUnits) -> TxReceipt:
        """Anyone may send it; it pays the provider's payout address."""
        return sender.send(self.call("withdrawOwed", provider_id, min_assets))

    def withdraw_margin(self, fee_recipient: Sender, token: Address, *, min_assets: AssetUnits) -> TxReceipt:
        return fee_recipient.send(self.call("withdrawMargin", token, min_assets))

    def retire(self, sender: Sender, token: Address) -> TxReceipt:
        return sender.send(self.call("retire", token))

    def tighten_caps(
        self, sender: Sender, token: Address, *, mint_cap: CreditUnits, payout_cap: AssetUnits
    ) -> TxReceipt:
        return sender.send(self.call("tightenCaps", token, mint_cap, payout_cap))

    def remove_provider(self, sender: Sender, token: Address, provider_id: int) -> TxReceipt:
        return sender.send(self.call("removeProvider", token, provider_id))

    def propose_loosening(
        self,
        issuer: Sender,
        token: Address,
        *,
        mint_cap: CreditUnits,
        payout_cap: AssetUnits,
        providers: Sequence[int] = (),
    ) -> TxReceipt:
        return issuer.send(self.call("proposeLoosening", token, mint_cap, payout_cap, list(providers)))

    def apply_loosening(self, sender: Sender, token: Address) -> TxReceipt:
        return sender.send(self.call("applyLoosening", token))

    def set_list_member(self, issuer: Sender, token: Address, member: Address, *, listed: bool) -> TxReceipt:
        return issuer.send(self.call("setListMember", token, member, listed))
