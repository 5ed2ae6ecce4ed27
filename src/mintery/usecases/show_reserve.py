"""A project's supply, reserve and claims as anyone can read them from the chain."""

from dataclasses import dataclass

from mintery.chain.rpc import BlockRef
from mintery.domain.voucher import Address, Kind
from mintery.units import AssetUnits, BasisPoints, CreditUnits, Par, UnixSeconds, assets_up
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class ReserveShown:
    """One project at one block. Credits 18 decimals, assets 6.

    Attributes:
        backing: what the supply needs; ``reserve`` is at least that (S1).
        escrowed: of the supply, what lies in accounts that gateways may spend.
        vault_assets, vault_claims: of the whole vault; every claim is paid in full while assets >= claims (S2).
    """

    block: int
    block_hash: str
    token: Address
    name: str
    symbol: str
    kind: Kind
    issuer: Address
    par: Par
    markup: BasisPoints
    supply: CreditUnits
    escrowed: CreditUnits
    reserve: AssetUnits
    backing: AssetUnits
    margin: AssetUnits
    mint_cap: CreditUnits
    mint_room: CreditUnits
    payout_cap: AssetUnits
    retired_at: UnixSeconds
    vault_assets: AssetUnits
    vault_claims: AssetUnits


def show_reserve(chain: OnChain, token: Address, *, at: BlockRef | None = None) -> ReserveShown:
    """Everything at one block, by default the newest.

    Raises:
        TransactionReverted: UnknownProject.
    """
    block = at or chain.rpc.block()
    project = chain.vault.project_of(token, at=block)
    credit_token = chain.token(token)
    supply = credit_token.total_supply(at=block)
    return ReserveShown(
        block=block.number,
        block_hash=block.hash,
        token=token,
        name=credit_token.token_name(),
        symbol=credit_token.symbol(),
        kind=project.kind,
        issuer=project.issuer,
        par=project.par,
        markup=project.markup,
        supply=supply,
        escrowed=chain.escrow.total_balance(token, at=block),
        reserve=project.reserve,
        backing=assets_up(supply, project.par),
        margin=project.margin,
        mint_cap=project.mint_cap,
        mint_room=chain.vault.mint_room(token, at=block),
        payout_cap=project.payout_cap,
        retired_at=project.retired_at,
        vault_assets=chain.asset.balance_of(chain.vault.address, at=block),
        vault_claims=chain.vault.total_claims(at=block),
    )
