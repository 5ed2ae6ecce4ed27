"""Chain and ledger, read at one block, and each figure of the one beside that of the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mintery.chain.reserve_vault import VaultProject
from mintery.chain.rpc import BlockRef
from mintery.chain.spend_escrow import Position
from mintery.domain.voucher import AccountId, Address
from mintery.errors import LedgerInconsistent
from mintery.ledger.commands import Block
from mintery.ledger.reads import AccountBalance, Ledger, TokenTotals
from mintery.units import AssetUnits, CreditUnits, NanoCredits, assets_up, credit_units
from mintery.usecases.chain_flows import Flows, TokenFlows
from mintery.usecases.onchain import OnChain
from mintery.usecases.reconciliation import COVERED, Check, Rule

_READS = 5


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """One project on chain: ``escrowed`` is the escrow's own count, ``in_escrow`` its balance of the token."""

    project: VaultProject
    supply: CreditUnits
    escrowed: CreditUnits
    in_escrow: CreditUnits


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """What the chain says at one block."""

    accounts: Mapping[AccountId, Position]
    tokens: Mapping[Address, TokenFigures]
    owed: Mapping[int, AssetUnits]
    assets: AssetUnits
    claims: AssetUnits
    flows: Flows


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """What the ledger says at the same block."""

    block: Block
    accounts: Sequence[AccountBalance]
    settled: Mapping[AccountId, NanoCredits]
    totals: Sequence[TokenTotals]


def read_ledger(ledger: Ledger) -> LedgerFigures:
    """The ledger between two blocks: read again if one was recorded meanwhile.

    Raises:
        LedgerInconsistent: no block is recorded, or the ledger never stands still.
    """
    for _ in range(_READS):
        before = ledger.last_block()
        if before is None:
            raise LedgerInconsistent("the ledger has recorded no block yet")
        accounts = tuple(ledger.accounts())
        figures = LedgerFigures(before, accounts, ledger.settled_by_account(), tuple(ledger.totals()))
        if ledger.last_block() == before:
            return figures
    raise LedgerInconsistent(f"{_READS} readings were each overtaken by a new block")


def read_chain(chain: OnChain, accounts: Sequence[AccountBalance], summed: Flows, at: BlockRef) -> ChainFigures:
    """``summed``: what the events up to ``at`` add up to."""
    positions = chain.escrow.positions_of([account.key for account in accounts], at=at)
    tokens = {*summed.tokens, *(account.key.token for account in accounts)}
    return ChainFigures(
        accounts=dict(zip((account.id for account in accounts), positions, strict=True)),
        tokens={token: _token_figures(chain, token, at) for token in sorted(tokens)},
        owed={provider: chain.vault.owed_to(provider, at=at) for provider in range(1, chain.registry.count(at=at) + 1)},
        assets=chain.asset.balance_of(chain.vault.address, at=at),
        claims=chain.vault.total_claims(at=at),
        flows=summed,
    )


def _token_figures(chain: OnChain, token: Address, at: BlockRef) -> TokenFigures:
    credit_token = chain.token(token)
    return TokenFigures(
        project=chain.vault.project_of(token, at=at),
        supply=credit_token.total_supply(at=at),
        escrowed=chain.escrow.total_balance(token, at=at),
        in_escrow=credit_token.balance_of(chain.escrow.address, at=at),
    )


def compare(chain: ChainFigures, ledger: LedgerFigures, gateway: Address) -> Iterator[Check]:
    """Every figure that must agree, and every bound that must hold, at one block."""
    for account in ledger.accounts:
        yield from _compare_account(chain.accounts[account.id], account, ledger.settled[account.id])
    totals = {total.token: total for total in ledger.totals}
    for token, figures in chain.tokens.items():
        yield from _check_token(figures, chain.flows.tokens[token])
        ours = [chain.accounts[account.id] for account in ledger.accounts if account.key.token == token]
        yield from _compare_token(figures, ours, totals.get(token), chain.flows.tokens[token].burned_for[gateway])
    for provider, owed in chain.owed.items():
        yield Check(
            f"provider {provider}: owed, against what its events add up to",
            Rule.EQUAL,
            owed,
            chain.flows.owed[provider],
        )

    claims = sum(figures.project.reserve + figures.project.margin for figures in chain.tokens.values())
    yield Check(
        "vault: claims, against reserves, margins and owed", Rule.EQUAL, chain.claims, claims + sum(chain.owed.values())
    )
    yield Check(COVERED, Rule.AT_LEAST, chain.assets, chain.claims)


def _compare_account(chain: Position, ledger: AccountBalance, settled: NanoCredits) -> Iterator[Check]:
    held = NanoCredits(ledger.available + ledger.held + ledger.captured)
    yield Check(f"account {ledger.id}: balance", Rule.EQUAL, chain.balance, credit_units(held))
    yield Check(f"account {ledger.id}: epoch", Rule.EQUAL, chain.epoch, ledger.epoch)
    yield Check(f"account {ledger.id}: settled in this epoch", Rule.EQUAL, chain.spent, credit_units(settled))


def _check_token(figures: TokenFigures, flows: TokenFlows) -> Iterator[Check]:
    """The chain against itself."""
    name, project = figures.project.token, figures.project
    backing = assets_up(figures.supply, project.par)
    yield Check(f"{name}: reserve backs the supply (S1)", Rule.AT_LEAST, project.reserve, backing)
    yield Check(
        f"{name}: the escrow holds what its accounts do (S9)", Rule.AT_LEAST, figures.in_escrow, figures.escrowed
    )
    supply = flows.minted - flows.redeemed - flows.burned
    yield Check(f"{name}: supply is minted less redeemed less burned", Rule.EQUAL, figures.supply, supply)
    yield Check(
        f"{name}: paid and margin are the backing of what was burned",
        Rule.EQUAL,
        flows.paid + flows.margin,
        flows.backing,
    )
    yield Check(f"{name}: providers were credited what was paid", Rule.EQUAL, flows.credited, flows.paid)
    margin = flows.margin - flows.margin_withdrawn
    yield Check(f"{name}: margin, against what its events add up to", Rule.EQUAL, project.margin, margin)


def _compare_token(
    figures: TokenFigures, ours: Sequence[Position], total: TokenTotals | None, burned: int
) -> Iterator[Check]:
    name = figures.project.token
    deposited = sum(account.balance for account in ours)
    yield Check(f"{name}: the escrow counts all our accounts", Rule.AT_LEAST, figures.escrowed, deposited)
    if total is None:
        yield Check(f"{name}: burned for this gateway", Rule.EQUAL, burned, 0)
        return
    open_ = NanoCredits(total.available + total.held + total.captured)
    yield Check(f"{name}: balances of our accounts", Rule.EQUAL, deposited, credit_units(open_))
    flowed = NanoCredits(total.deposited - total.exited - total.burned)
    yield Check(f"{name}: deposited less exited less burned", Rule.EQUAL, deposited, credit_units(flowed))
    yield Check(f"{name}: burned for this gateway", Rule.EQUAL, burned, credit_units(total.burned))
    charged = NanoCredits(total.burned + total.captured + total.losses)
    yield Check(f"{name}: burned, captured and lost, against receipts", Rule.EQUAL, charged, total.receipts)
