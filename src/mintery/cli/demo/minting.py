"""The demo's first half: a chain, a reserve, credits, and credits sent."""

import importlib
import tempfile
import threading
from pathlib import Path

from mintery.bootstrap.local import PROVIDER_ID
from mintery.chain.terms import Terms
from mintery.cli.demo.steps import Demo, Outcome, equal
from mintery.cli.money import assets_text, credits_text
from mintery.cli.session import settings_of
from mintery.domain.voucher import AccountKey, Kind
from mintery.units import BasisPoints, Par, assets_up, parse_assets, parse_credits
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.open_project import open_project
from mintery.usecases.transfer_credits import transfer_credits

SYMBOL = "PXAI"
MINTED = parse_credits("10000")
SENT = parse_credits("2500")
DEPOSITED = parse_credits("1000")


def start_chain(demo: Demo) -> Outcome:
    """A chain in this process, the contracts, prices by quorum, a gateway and a TEST provider. Nothing of it is kept."""
    from mintery.bootstrap import start_local_stack

    # The openai package takes a second or more to load; the first prices wait in the oracle's queue meanwhile.
    threading.Thread(target=importlib.import_module, args=("openai",), daemon=True).start()
    home = Path(demo.scope.enter_context(tempfile.TemporaryDirectory(prefix="mintery-demo-")))
    settings = settings_of(home=home, host="127.0.0.1", port=0)
    # Without jobs: each step asks for what a job would do, so the demo shows it and nothing runs between two readings.
    demo.stack = stack = demo.scope.enter_context(start_local_stack(settings, jobs=False))
    demo.issuer, demo.friend = stack.key("issuer"), stack.key("friend")
    oracle, contracts = stack.chain.oracle, stack.chain.deployment.contracts
    prices = {str(sku): str(price.usd) for sku, price in sorted(stack.gateway.board.newest().prices.items())}
    quorum, reporters = oracle.quorum(), len(oracle.reporters())
    told = f"chain {stack.chain.rpc.chain_id}, {len(contracts)} contracts, {len(prices)} prices by {quorum} of {reporters} reporters"
    return told, {
        "chain_id": stack.chain.rpc.chain_id,
        "block": stack.chain.rpc.block().number,
        "contracts": {name: contract.address for name, contract in contracts.items()},
        "quorum": quorum,
        "reporters": reporters,
        "prices_usd_wad": prices,
    }


def open_the_project(demo: Demo) -> Outcome:
    """One credit is backed by a cent; the issuer adds a tenth to what providers cost."""
    chain = demo.chain
    terms = Terms(
        name="PROJECTX_AI_CREDITS",
        symbol=SYMBOL,
        par=Par(10_000),
        markup=BasisPoints(1_000),
        fee_recipient=demo.issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(PROVIDER_ID,),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets("100000"),
    )
    opened = open_project(chain, chain.sender(demo.issuer), terms)
    demo.token = opened.token
    demo.account = AccountKey(opened.token, demo.stack.gateway.address, demo.friend.address, demo.friend.address)
    told = f"{terms.name}, one credit backed by {assets_text(parse_assets('0.01'))}, markup 10 %"
    return told, {"token": opened.token, "symbol": SYMBOL, "par": terms.par, "markup_bps": terms.markup}


def lock_and_mint(demo: Demo) -> Outcome:
    chain = demo.chain
    minted = mint_credits(chain, chain.sender(demo.issuer), demo.token, MINTED, to=demo.issuer.address)
    demo.locked = minted.assets
    project = chain.vault.project_of(demo.token)
    equal("credits minted", minted.credits, MINTED)
    equal("reserve taken", minted.assets, assets_up(MINTED, project.par))
    equal("reserve locked", project.reserve, minted.assets)
    equal("supply", chain.token(demo.token).total_supply(), MINTED)
    told = f"{assets_text(minted.assets)} locked, {credits_text(MINTED, SYMBOL)} minted"
    return told, {"credits": str(MINTED), "assets": str(minted.assets), "tx_hash": minted.tx.hash}


def send(demo: Demo) -> Outcome:
    chain = demo.chain
    tx = transfer_credits(chain, chain.sender(demo.issuer), demo.token, demo.friend.address, SENT)
    equal("sender's balance", demo.balance(demo.issuer.address), MINTED - SENT)
    equal("receiver's balance", demo.balance(demo.friend.address), SENT)
    told = f"{credits_text(SENT, SYMBOL)} to a second wallet"
    return told, {"credits": str(SENT), "to": demo.friend.address, "tx_hash": tx.hash}


def put_in_escrow(demo: Demo) -> Outcome:
    chain = demo.chain
    deposited = deposit_credits(chain, chain.sender(demo.friend), demo.account, DEPOSITED)
    equal("balance in escrow", chain.escrow.account_of(demo.account).balance, DEPOSITED)
    equal("left in the wallet", demo.balance(demo.friend.address), SENT - DEPOSITED)
    told = f"{credits_text(DEPOSITED, SYMBOL)} by the second wallet, for this gateway alone"
    return told, {"credits": str(DEPOSITED), "account": deposited.account, "tx_hash": deposited.tx.hash}
