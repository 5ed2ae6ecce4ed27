"""A deployment on an anvil of its own, with everything that can be done to it as one transaction each."""

import re
import subprocess
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Self

from mintery.bootstrap import dev_role
from mintery.chain.credit_token import CreditToken
from mintery.chain.deploy import deploy
from mintery.chain.packing import pack_lines
from mintery.chain.reserve_vault import ReserveVault
from mintery.chain.roles import DeployConfig, NewProvider, appoint_settlers
from mintery.chain.rpc import connect
from mintery.chain.sender import Sender
from mintery.chain.terms import Terms
from mintery.crypto.authorizations import deposit_nonce, mint_nonce, top_up_nonce
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import sign_voucher
from mintery.domain.batch import Batch, SettlementLine, TokenBatch, UsageEntry
from mintery.domain.voucher import AccountKey, Address, Kind, Voucher
from mintery.units import AssetUnits, BasisPoints, CreditUnits, Par, UnixSeconds, UsdWad
from mintery.usecases.onchain import OnChain
from mintery.usecases.open_project import open_project

SKUS = 100
CREDIT = 10**18
START = 1_800_000_000
FAR = UnixSeconds(START + 365 * 86_400)
SPEND = 1_234_567_890 * 10**9
"""Credits that each line of each batch burns; a little over one, so that amounts are not mostly zeros."""
FIRST_SESSION_KEY = 100


def _role(name: str) -> PrivateKey:
    return dev_role(name, local=True)


@dataclass(slots=True)
class Market:
    """An anvil whose clock ticks one second a block, so that the same calls always cost the same gas."""

    anvil: str
    directory: Path
    chain: OnChain = field(init=False)
    tokens: list[Address] = field(default_factory=list, init=False)
    _program: subprocess.Popen[str] = field(init=False)
    _spent: dict[tuple[Address, int], int] = field(default_factory=dict, init=False)
    _price: int = field(default=10**15, init=False)
    _salt: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        options = ["--port", "0", "--accounts", "20", "--timestamp", str(START), "--hardfork", "prague"]
        self._program = subprocess.Popen(  # noqa: S603 -- the binary that scripts/audit found in node_modules
            [self.anvil, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        rpc = connect(self._url())
        # It writes a line for each call, and would wait for a reader.
        Thread(target=deque, args=(self._program.stdout, 0), daemon=True).start()
        rpc.request("anvil_setBlockTimestampInterval", 1)
        config = DeployConfig(
            reporters=tuple(_role(f"reporter{i}").address for i in range(1, 6)),
            skus=tuple(f"acme/model-{i}:output_token" for i in range(1, SKUS + 1)),
            providers=(NewProvider("acme", _role("provider").address, Kind.ROUTED, resale_allowed=True),),
            queue_delay=2,
            epoch_length=1,
        )
        deployed = deploy(rpc, _role("admin"), config, self.directory / "deployment.json")
        self.chain = OnChain.of(rpc, deployed.deployment, confirmations=0)
        appoint_settlers(self.chain.escrow, self._sender("gateway"), [_role("settler").address])
        for name in ("issuer", "holder"):
            self.chain.asset.mint(self._sender("admin"), _role(name).address, AssetUnits(10**12))
            self.chain.asset.approve(self._sender(name), self.vault.address, 2**256 - 1)
        for _ in range(2):
            self.report(changed=SKUS)
        self.open_project()
        self.tokens.sort(key=str.lower)
        return self

    def __exit__(self, *_: object) -> None:
        self._program.terminate()
        self._program.communicate(timeout=10)

    def _url(self) -> str:
        seen = ""
        for line in self._program.stdout or ():
            seen += line
            if (found := re.search(r"Listening on (\S+)", line)) is not None:
                return f"http://{found[1]}"
        raise RuntimeError(seen)

    @property
    def vault(self) -> ReserveVault:
        return self.chain.vault

    @property
    def token(self) -> Address:
        return self.tokens[0]

    def _sender(self, role: str) -> Sender:
        return self.chain.sender(_role(role))

    def _next_salt(self) -> bytes:
        self._salt += 1
        return self._salt.to_bytes(32)

    def _pass(self, seconds: int) -> None:
        self.chain.rpc.request("evm_setNextBlockTimestamp", self.chain.rpc.block().timestamp + seconds)
        self.chain.rpc.request("evm_mine")

    # Money

    def open_project(self) -> int:
        terms = Terms(
            name="PROJECTX_AI_CREDITS",
            symbol="PROJECTX_AI_CREDITS",
            par=Par(1_000_000),
            markup=BasisPoints(1_000),
            fee_recipient=_role("issuer").address,
            public_mint=True,
            kind=Kind.ROUTED,
            providers=(1,),
            allowlist=False,
            mint_cap=CreditUnits(10**24),
            payout_cap=AssetUnits(10**12),
        )
        opened = open_project(self.chain, self._sender("issuer"), terms)
        self.tokens.append(opened.token)
        self.tokens.sort(key=str.lower)
        return opened.tx.gas_used

    def mint(self) -> int:
        credits_, issuer = CreditUnits(1_000_000_007 * 10**12), self._sender("issuer")
        return self.vault.mint(issuer, self.token, credits_, max_assets=AssetUnits(10**12), to=issuer.address).gas_used

    def mint_by_authorization(self) -> int:
        issuer, salt, least = _role("issuer"), self._next_salt(), CreditUnits(CREDIT)
        nonce = mint_nonce(self.token, issuer.address, issuer.address, min_credit_base_units=least, salt=salt)
        signed = self.chain.asset.sign_authorization(
            issuer, self.vault.address, AssetUnits(1_000_007), nonce=nonce, valid_before=FAR, receive=True
        )
        return self.vault.mint_with_authorization(
            self._sender("admin"), self.token, salt, signed, min_credits=least, to=issuer.address
        ).gas_used

    def transfer(self) -> int:
        credits_ = CreditUnits(123_456_789 * 10**11)
        return self._credit().transfer(self._sender("issuer"), _role("holder").address, credits_).gas_used

    def redeem(self) -> int:
        holder = self._sender("holder")
        return self.vault.redeem(
            holder, self.token, CreditUnits(CREDIT), min_assets=AssetUnits(1_000_000), receiver=holder.address
        ).gas_used

    def withdraw_owed(self) -> int:
        return self.vault.withdraw_owed(self._sender("provider"), 1, min_assets=AssetUnits(1)).gas_used

    def withdraw_margin(self) -> int:
        return self.vault.withdraw_margin(self._sender("issuer"), self.token, min_assets=AssetUnits(1)).gas_used

    def _credit(self, token: int = 0) -> CreditToken:
        return self.chain.token(self.tokens[token])

    # Escrow

    def approve(self) -> int:
        return self._credit().approve(self._sender("holder"), self.chain.escrow.address, 2**256 - 1).gas_used

    def deposit(self, session: int) -> int:
        return self.chain.escrow.deposit(self._sender("holder"), self._account(session), CreditUnits(CREDIT)).gas_used

    def deposit_by_permit(self) -> int:
        permit = self._credit().sign_permit(_role("holder"), self.chain.escrow.address, CREDIT, deadline=FAR)
        return self.chain.escrow.deposit_with_permit(
            self._sender("holder"), self._account(0), CreditUnits(CREDIT), deadline=FAR, permit=permit
        ).gas_used

    def deposit_by_authorization(self) -> int:
        key, salt = self._account(0), self._next_salt()
        signed = self._credit().sign_authorization(
            _role("holder"),
            self.chain.escrow.address,
            CREDIT,
            nonce=deposit_nonce(key, CREDIT, salt),
            valid_before=FAR,
            receive=True,
        )
        return self.chain.escrow.deposit_with_authorization(self._sender("admin"), key, salt, signed).gas_used

    def top_up(self) -> int:
        key, salt, least = self._account(0), self._next_salt(), CreditUnits(CREDIT)
        signed = self.chain.asset.sign_authorization(
            _role("holder"),
            self.vault.address,
            AssetUnits(1_000_007),
            nonce=top_up_nonce(key, least, salt),
            valid_before=FAR,
            receive=True,
        )
        return self.chain.escrow.top_up(self._sender("admin"), key, salt, signed, min_credits=least).gas_used

    def start_exit(self) -> int:
        return self.chain.escrow.start_exit(self._sender("holder"), self._account(0), CreditUnits(CREDIT)).gas_used

    def execute_exit(self) -> int:
        self._pass(3_600)
        return self.chain.escrow.execute_exit(self._sender("admin"), self._account(0)).gas_used

    def release(self) -> int:
        return self.chain.escrow.release(self._sender("settler"), self._account(0), CreditUnits(CREDIT)).gas_used

    def _session(self, number: int) -> PrivateKey:
        return PrivateKey.from_bytes((FIRST_SESSION_KEY + number).to_bytes(32))

    def _account(self, session: int, token: int = 0) -> AccountKey:
        signer = self._session(session).address
        return AccountKey(self.tokens[token], _role("gateway").address, _role("holder").address, signer)

    # Settlement

    def open_accounts(self, count: int) -> None:
        """Accounts of one holder under as many session keys, and one account of the second project."""
        issuer, holder = self._sender("issuer"), self._sender("holder")
        for token, accounts in ((0, count), (1, 1)):
            credits_ = CreditUnits(100 * CREDIT)
            total = CreditUnits(accounts * credits_)
            self.vault.mint(issuer, self.tokens[token], total, max_assets=AssetUnits(10**12), to=holder.address)
            self._credit(token).approve(holder, self.chain.escrow.address, 2**256 - 1)
            for session in range(accounts):
                self.chain.escrow.deposit(holder, self._account(session, token), credits_)

    def settle(self, lines: int, *, entries: int = 1, tokens: int = 1) -> int:
        gateway = _role("gateway").address
        parts = tuple(self._part(token, lines, entries) for token in range(tokens))
        batch = Batch(gateway, self.chain.escrow.next_batch_id(gateway), b"\x5a" * 32, parts)
        return self.chain.escrow.settle(self._sender("settler"), batch).gas_used

    def line_calldata_gas(self) -> int:
        """Of one line of the last batches: 16 for a byte, 4 for a zero."""
        packed = pack_lines([self._line(0, 0)])
        return sum(16 if byte else 4 for byte in packed)

    def _part(self, token: int, lines: int, entries: int) -> TokenBatch:
        quantity = SPEND * lines * 10 // (11 * self._price) + 1
        usage = tuple(UsageEntry(1, sku, self._version(sku), quantity) for sku in range(1, 1 + entries))
        return TokenBatch(
            self.tokens[token], lines, tuple(self._line(token, session) for session in range(lines)), usage
        )

    def _line(self, token: int, session: int) -> SettlementLine:
        account = self._account(session, token)
        spent = self._spent[account.token, session] = self._spent.get((account.token, session), 0) + SPEND
        voucher = Voucher(
            token=account.token,
            gateway=account.gateway,
            holder=account.holder,
            epoch=0,
            max_spend=CreditUnits(98_765_432_109 * 10**9),
            deadline=FAR,
            key_hash=b"\xa5" * 16,
        )
        signed = sign_voucher(voucher, self.chain.domain, self._session(session))
        return SettlementLine(signed, CreditUnits(spent))

    def _version(self, sku: int) -> int:
        version, _ = self.chain.oracle.current_price(sku)
        return version

    # Prices

    def report(self, *, changed: int = 0, unchanged: int = 0) -> int:
        """Three vectors of the quorum, a few seconds after the last: what was queued may come into force."""
        self._pass(5)
        oracle, block = self.chain.oracle, self.chain.rpc.block()
        self._price += changed
        # Not of number 0, the asset itself.
        skus = range(1, 1 + changed + unchanged)
        prices = {sku: UsdWad(self._price if changed else oracle.current_price(sku)[1]) for sku in skus}
        vector = oracle.vector_of(prices, block)
        reports = [oracle.sign_report(_role(f"reporter{i}"), vector) for i in (1, 2, 3)]
        return oracle.report(self._sender("admin"), reports).gas_used
