"""A deployment on a dev chain where accounts are opened and charged without a gateway's HTTP side."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mintery.chain.deploy import deploy
from mintery.chain.roles import DeployConfig, NewProvider, appoint_settlers
from mintery.chain.rpc import Call, Rpc
from mintery.chain.sender import Sender
from mintery.chain.terms import Terms
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.crypto.vouchers import account_id, sign_voucher, voucher_digest
from mintery.domain.hold import RequestId
from mintery.domain.observation import Observed
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource, total_cost
from mintery.domain.quoted import Quoted
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountKey, Address, Kind, SignedVoucher, Voucher
from mintery.ledger.commands import CaptureHold, Command, HoldPlaced, PlaceHold, RequestKey, Result
from mintery.ledger.opening import LedgerIdentity
from mintery.ledger.reads import Ledger
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import (
    BasisPoints,
    NanoCredits,
    Par,
    UnixSeconds,
    UsdWad,
    Wei,
    nanocredits_up,
    parse_assets,
    parse_credits,
)
from mintery.usecases.alarms import Alarms, HaltBook
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.onchain import OnChain
from mintery.usecases.open_project import open_project
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.report_prices import Reporter, report_prices
from mintery.usecases.settle_batch import Settlement
from mintery.usecases.settle_until_final import SettledAll, settle_until_final
from mintery.usecases.sync_chain import Synced, sync_chain

PAR = Par(1_000_000)
MARKUP = BasisPoints(500)
PROVIDER = 1
PRICES: Mapping[str, UsdWad] = {
    "acme/small:input_token": UsdWad(1_234_567_891_011),
    "acme/small:output_token": UsdWad(4_000_000_000_003),
}
GENEROUS = parse_assets("1000000")


def now() -> datetime:
    return datetime.now(UTC)


def sees(prices: Mapping[str, UsdWad]) -> tuple[Observed, ...]:
    return tuple(Observed(sku, usd, ()) for sku, usd in prices.items())


def reporters(prices: Mapping[str, UsdWad]) -> tuple[Reporter, ...]:
    """All five, who see the same."""
    return tuple(Reporter(dev_key(index), lambda _skus, _now: sees(prices)) for index in range(10, 15))


@dataclass
class Town:
    """The deployment, shared by a module's tests; each test has a gateway of its own."""

    chain: OnChain
    token: Address

    @property
    def rpc(self) -> Rpc:
        return self.chain.rpc

    @property
    def admin(self) -> Sender:
        return self.chain.sender(dev_key(0))

    @property
    def issuer(self) -> Sender:
        return self.chain.sender(dev_key(3))

    def advance(self, seconds: int) -> None:
        self.rpc.request("evm_increaseTime", hex(seconds))
        self.rpc.request("evm_mine")

    def report(self, prices: Mapping[str, UsdWad]) -> object:
        """One report in an epoch of its own."""
        self.advance(1)
        who = reporters(prices)
        return report_prices(self.chain, who, self.admin, Alarms(), now=now(), heartbeat=1, everything=True)

    def put_in_force(self, prices: Mapping[str, UsdWad]) -> None:
        self.report(prices)
        self.advance(QUEUE_DELAY)
        self.report(prices)

    def funded(self) -> PrivateKey:
        """A new key with ether."""
        key = PrivateKey.generate()
        self.admin.send(Call("pay", key.address, b"", value=Wei(10**18)))
        return key

    def lines(self, units: int) -> tuple[PricedLine, ...]:
        """``units`` input tokens and as many output tokens, at the prices in force."""
        lines = []
        for name in PRICES:
            index = self.chain.oracle.sku_of(name)
            version, usd = self.chain.oracle.current_price(index)
            lines.append(PricedLine(Sku.parse(name), index, PROVIDER, version, usd, units))
        return tuple(lines)


QUEUE_DELAY = 60
"""Seconds; long, so that a busy machine's own seconds are not what a test waits for."""


def build_town(
    rpc: Rpc,
    directory: Path,
    *,
    payout_cap: str = "1000000",
    prices: Mapping[str, UsdWad] = PRICES,
    epoch_length: int = 1,
) -> Town:
    config = DeployConfig(
        reporters=tuple(dev_key(index).address for index in range(10, 15)),
        skus=tuple(prices),
        providers=(NewProvider("acme", dev_key(6).address, Kind.ROUTED, resale_allowed=True),),
        queue_delay=QUEUE_DELAY,
        epoch_length=epoch_length,
    )
    deployment = deploy(rpc, dev_key(0), config, directory / "deployment.json").deployment
    chain = OnChain.of(rpc, deployment, confirmations=0)
    town = Town(chain, Address(""))
    town.token = new_project(town, payout_cap=payout_cap)
    town.put_in_force(prices)
    return town


def new_project(town: Town, *, payout_cap: str = "1000000") -> Address:
    """Open to be minted by all, with 100 000 credits in the issuer's wallet."""
    terms = Terms(
        name="Project X AI Credits",
        symbol="PROJECTX_AI_CREDITS",
        par=PAR,
        markup=MARKUP,
        fee_recipient=town.issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(PROVIDER,),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets(payout_cap),
    )
    token = open_project(town.chain, town.issuer, terms).token
    asset = town.chain.asset
    assert isinstance(asset, TestDollar)
    asset.mint(town.issuer, town.issuer.address, parse_assets("200000"))
    mint_credits(town.chain, town.issuer, token, parse_credits("100000"), to=town.issuer.address)
    town.chain.token(token).approve(town.issuer, town.chain.escrow.address, 2**255)
    return token


@dataclass(frozen=True)
class Member:
    """One account of the issuer's with a signer of its own, and its voucher."""

    key: AccountKey
    signer: PrivateKey
    signed: SignedVoucher


@dataclass
class Till:
    """One gateway: identity, settler, ledger (``path``: its file, or its database's URL). ``reopen`` is what a crash leaves: only what was durable."""

    town: Town
    path: Path | str
    identity: PrivateKey
    settler: PrivateKey
    max_lines: int = 100
    bump_after: int = 90

    def __post_init__(self) -> None:
        self.ledger: LedgerStore = self._open()
        self.alarms = Alarms(HaltBook(self.ledger, now))
        self.reconciler = self._reconciler()

    @property
    def gateway(self) -> Address:
        return self.identity.address

    def _open(self) -> LedgerStore:
        rpc = self.town.rpc
        return open_ledger(self.path, LedgerIdentity(rpc.chain_id, rpc.genesis_hash, self.town.chain.escrow.address))

    def _reconciler(self) -> Reconciler:
        return Reconciler(self.town.chain, self.ledger, self.gateway, self.alarms)

    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = self._open()
        self.alarms = Alarms(HaltBook(self.ledger, now))
        self.reconciler = self._reconciler()

    def settlement(self, *, ledger: Ledger | None = None, settler: Sender | None = None) -> Settlement:
        return Settlement(
            chain=self.town.chain,
            ledger=ledger or self.ledger,
            settler=settler or self.town.chain.sender(self.settler),
            gateway=self.gateway,
            alarms=self.alarms,
            max_lines=self.max_lines,
            max_receipts=10_000,
            bump_after=self.bump_after,
        )

    def sync(self) -> Synced:
        return sync_chain(self.town.chain, self.ledger, self.gateway, self.alarms, now())

    def settle(self) -> SettledAll:
        return settle_until_final(self.settlement(), self.sync, now, seconds=30)

    def open_account(self, credits_: str = "10", *, token: Address | None = None, most: str = "1000") -> Member:
        signer = PrivateKey.generate()
        holder = self.town.issuer
        key = AccountKey(token or self.town.token, self.gateway, holder.address, signer.address)
        deposit_credits(self.town.chain, holder, key, parse_credits(credits_))
        return Member(key, signer, self.voucher(key, signer, most))

    def voucher(
        self, key: AccountKey, signer: PrivateKey, most: str, *, valid: int = 864_000, epoch: int = 0
    ) -> SignedVoucher:
        voucher = Voucher(
            token=key.token,
            gateway=key.gateway,
            holder=key.holder,
            epoch=epoch,
            max_spend=parse_credits(most),
            deadline=UnixSeconds(self.town.rpc.block().timestamp + valid),
            key_hash=signer.address.encode()[:16],
        )
        return sign_voucher(voucher, self.town.chain.domain, signer)

    def receipt(self, member: Member, lines: tuple[PricedLine, ...], markup: BasisPoints = MARKUP) -> Receipt:
        cost = nanocredits_up(total_cost(lines), PAR, markup)
        return Receipt(
            id=RequestId(f"req_{secrets.token_hex(16)}"),
            domain=self.town.chain.domain,
            account=member.key,
            epoch=member.signed.voucher.epoch,
            model="acme/small",
            provider="acme",
            upstream="small-1",
            kind=Kind.ROUTED,
            backup=False,
            stream=False,
            test=True,
            state=PriceState.NORMAL,
            lines=lines,
            source=UsageSource.PROVIDER,
            par=PAR,
            markup=markup,
            held=cost,
            cost=cost,
            captured_at=now(),
            settler=self.settler.address,
        )

    def hold(self, member: Member, receipt: Receipt, *, dispatch: bool = True, lease: int = 300) -> None:
        command = PlaceHold(
            request=receipt.id,
            key=RequestKey(keccak(member.key.signer.encode()), keccak(receipt.id.encode())),
            account=account_id(member.key),
            signed=member.signed,
            digest=voucher_digest(member.signed.voucher, self.town.chain.domain),
            quoted=quoted_for(receipt),
            amount=receipt.held,
            placed_at=receipt.captured_at,
            lease_until=receipt.captured_at + timedelta(seconds=lease),
            dispatch=dispatch,
        )
        (placed,) = self.ledger.commit([command])
        assert isinstance(placed, HoldPlaced), placed

    def charge(self, member: Member, units: int = 100, markup: BasisPoints = MARKUP) -> Receipt:
        """A request that used ``units`` input tokens and as many output tokens; ``markup`` as its channel asks."""
        receipt = self.receipt(member, self.town.lines(units), markup)
        self.hold(member, receipt)
        self.ledger.commit([CaptureHold(receipt.id, receipt, None)])
        return receipt


def quoted_for(receipt: Receipt) -> Quoted:
    """The quote that such a receipt follows from."""
    return Quoted(
        model=receipt.model,
        provider=receipt.provider,
        upstream=receipt.upstream,
        kind=receipt.kind,
        stream=receipt.stream,
        test=receipt.test,
        state=receipt.state,
        lines=receipt.lines,
        par=receipt.par,
        markup=receipt.markup,
    )


def open_till(town: Town, path: Path | str, *, max_lines: int = 100, bump_after: int = 90) -> Till:
    identity, settler = town.funded(), town.funded()
    appoint_settlers(town.chain.escrow, town.chain.sender(identity), [settler.address])
    return Till(town, path, identity, settler, max_lines=max_lines, bump_after=bump_after)


class Crash(BaseException):
    """The process is gone: nothing above may catch it."""


class CrashingLedger:
    """A ledger whose process dies at a command of one kind, before or after it was written."""

    def __init__(self, ledger: LedgerStore, kind: type[Command], *, written: bool) -> None:
        self._ledger = ledger
        self._kind = kind
        self._written = written

    def commit(self, commands: list[Command]) -> list[Result]:
        dies = any(isinstance(command, self._kind) for command in commands)
        if dies and not self._written:
            raise Crash
        results = list(self._ledger.commit(commands))
        if dies:
            raise Crash
        return results

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)


def total(receipts: list[Receipt]) -> NanoCredits:
    return NanoCredits(sum(receipt.cost for receipt in receipts))
