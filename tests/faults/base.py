"""What every run begins with: a chain with everything deployed and deposited, and a ledger that has seen it.

It is made once, in a process without threads, and each run gets its own copy by a fork.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.page import BEGINNING, Page
from tests.faults.sparing import spare
from tests.faults.swift_evm import use_swift_evm, write_known_code
from tests.usecases.town import PRICES, Town, build_town

from mintery.chain.deployment import Deployment, load_deployment
from mintery.chain.devchain import rpc as devchain_rpc
from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.filters import Filters
from mintery.chain.devchain.pool import Pool
from mintery.chain.devchain.provider import DevChainProvider
from mintery.chain.devchain.registry import Node
from mintery.chain.roles import appoint_settlers
from mintery.chain.rpc import Call, connect
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountId, AccountKey, Address
from mintery.ledger.opening import LedgerIdentity
from mintery.ledger.store import open_ledger
from mintery.units import CreditUnits, UsdWad, Wei
from mintery.usecases.alarms import Alarms
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.sync_chain import sync_chain

CHAIN_ID = 31337
ANY_CALL_GAS = 12_000_000
"""Enough for any call here; what reverts does so in its block."""
BURIED = 8
"""Blocks on top of what the ledger has seen: more than any run replaces."""
MILLICREDIT = 10**15
TINY_SKU, TINY_USD = "acme/tiny:input_token", UsdWad(777_777_777_777)
LARGE_PRICES = {
    "acme/large:input_token": UsdWad(1_333_333_333_333),
    "acme/large:output_token": UsdWad(3_777_777_777_777),
}
"""Of the route that stands in for acme/small."""
DEPOSITS: tuple[int, ...] = (10_000, 10_000, 10_000, 2, 1, 50, 10_000)
"""Of each account, in thousandths of a credit: three that have plenty, two at the edge of one hold, one of some calls,
and one that no scenario touches."""
UNTOUCHED = 6


def key_number(number: int) -> PrivateKey:
    return PrivateKey.from_bytes(number.to_bytes(32))


@dataclass(frozen=True, slots=True)
class Member:
    """One account; all of them are the issuer's, each with a signer of its own."""

    key: AccountKey
    id: AccountId
    signer: PrivateKey


@dataclass(frozen=True, slots=True)
class Base:
    """``ledger`` is an SQLite file in step with the chain's head; ``offset`` is the world's second at which runs begin."""

    directory: Path
    node: Node
    town: Town
    deployment: Deployment
    identity: PrivateKey
    settler: PrivateKey
    members: tuple[Member, ...]
    ledger: Path
    offset: int
    synced: int
    """The newest block that ledgers have seen when a run begins."""

    @property
    def token(self) -> Address:
        return self.town.token

    @property
    def ledger_identity(self) -> LedgerIdentity:
        deployment = self.deployment
        return LedgerIdentity(deployment.chain_id, deployment.genesis_hash, deployment.escrow)

    def copy_ledger(self, to: Path) -> None:
        shutil.copyfile(self.ledger, to)


def build_base(directory: Path, page: Page) -> Base:
    """Deploys, funds and deposits. ``directory`` is empty."""
    spare()
    use_swift_evm()
    page.stand_still(0)
    engine = Engine(CHAIN_ID, page.wall, BEGINNING)
    node = Node(engine, Pool(engine), Filters(engine))
    rpc = connect(in_process(node))
    town = build_town(rpc, directory, prices={**PRICES, **LARGE_PRICES, TINY_SKU: TINY_USD})
    identity, settler = key_number(1_001), key_number(1_002)
    for key in (identity, settler):
        town.admin.send(Call("pay", key.address, b"", value=Wei(10**18)))
    appoint_settlers(town.chain.escrow, town.chain.sender(identity), [settler.address])
    members = tuple(_open(town, identity, number, credits_) for number, credits_ in enumerate(DEPOSITS))

    offset = engine.head.timestamp + 1 - BEGINNING
    engine.clock.restore(0)
    page.stand_still(offset)
    base = Base(
        directory,
        node,
        town,
        load_deployment(directory / "deployment.json"),
        identity,
        settler,
        members,
        directory / "ledger.sqlite",
        offset,
        engine.head.number,
    )
    in_a_child(lambda: _write_ledger(base, page))
    for _ in range(BURIED):
        engine.mine()
    write_known_code()
    return base


def in_process(node: Node) -> DevChainProvider:
    """The chain without a server and without its thread. What needs no contract to be made is estimated at one figure."""

    def answer(body: bytes) -> bytes:
        request = devchain_rpc.parse_body(body)
        if isinstance(request, dict) and request["method"] == "eth_estimateGas" and request["params"][0].get("to"):
            return devchain_rpc.encode({"jsonrpc": "2.0", "id": request["id"], "result": hex(ANY_CALL_GAS)})
        return devchain_rpc.encode(devchain_rpc.answer(node, request))

    return DevChainProvider(answer)


def in_a_child(work: Callable[[], object]) -> None:
    """What starts threads is done where they do no harm to later forks."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("a child failed; see above")


def _open(town: Town, identity: PrivateKey, number: int, millicredits: int) -> Member:
    signer, holder = key_number(2_001 + number), town.issuer
    key = AccountKey(town.token, identity.address, holder.address, signer.address)
    deposit_credits(town.chain, holder, key, CreditUnits(millicredits * MILLICREDIT))
    return Member(key, account_id(key), signer)


def _write_ledger(base: Base, page: Page) -> None:
    with open_ledger(base.ledger, base.ledger_identity) as ledger:
        sync_chain(base.town.chain, ledger, base.identity.address, Alarms(), page.now())
        ledger.check()


__all__ = ["Base", "Member", "build_base", "dev_key", "in_a_child", "in_process"]
