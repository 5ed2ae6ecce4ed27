"""A whole Mintery in one process, paid through the stock client, to the last unit."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from mintery.bootstrap import LocalStack, start_local_stack
from mintery.bootstrap.opening import utc_now
from mintery.bootstrap.roles import dev_role
from mintery.chain.terms import Terms
from mintery.client import open_job
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey, Kind
from mintery.errors import DevKeyOnRealChain, PortTaken
from mintery.settings import load_settings
from mintery.units import BasisPoints, Par, UnixSeconds, parse_assets, parse_credits
from mintery.usecases.deposit_credits import relay_deposit, sign_deposit
from mintery.usecases.issue_voucher import issue_voucher
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.open_project import open_project
from mintery.usecases.transfer_credits import transfer_credits
from mintery.usecases.withdraw_owed import withdraw_owed


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[LocalStack]:
    settings = load_settings(
        home=home, port=0, sync_interval=0.2, market_interval=0.2, settlement_interval=0.5, reconcile_interval=0.5
    )
    with start_local_stack(settings) as running:
        yield running


@pytest.fixture(scope="module")
def account(stack: LocalStack) -> AccountKey:
    """The issuer mints, the holder is sent some and deposits them with one signature."""
    chain, issuer, holder = stack.chain, stack.chain.sender(stack.key("issuer")), stack.key("holder")
    terms = Terms(
        name="Project X AI Credits",
        symbol="PROJECTX_AI_CREDITS",
        par=Par(1_000_000),
        markup=BasisPoints(500),
        fee_recipient=issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(1,),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets("100000"),
    )
    token = open_project(chain, issuer, terms).token
    mint_credits(chain, issuer, token, parse_credits("100"), to=issuer.address)
    transfer_credits(chain, issuer, token, holder.address, parse_credits("40"))
    key = AccountKey(token, stack.gateway.address, holder.address, holder.address)
    relay_deposit(chain, issuer, sign_deposit(chain, holder, key, parse_credits("10")))
    stack.gateway.sync()
    stack.gateway.board.refresh()
    return key


@pytest.fixture(scope="module")
def client(stack: LocalStack, account: AccountKey) -> Iterator[openai.OpenAI]:
    voucher = issue_voucher(
        stack.chain.domain,
        stack.key("holder"),
        account,
        epoch=0,
        max_spend=parse_credits("5"),
        deadline=UnixSeconds(int(time.time()) + 86_400),
    )
    with openai.OpenAI(base_url=f"{stack.gateway_url}/v1", api_key=voucher.text, max_retries=0) as opened:
        yield opened


def test_calls_are_charged_settled_by_the_job_and_reconciled(
    stack: LocalStack, account: AccountKey, client: openai.OpenAI
):
    turn = [{"role": "user", "content": "count to three"}]
    assert client.chat.completions.create(model="test/chat", messages=turn).choices[0].message.content  # type: ignore[call-overload]
    assert list(client.chat.completions.create(model="test/chat", messages=turn, stream=True))  # type: ignore[call-overload]
    assert client.embeddings.create(model="test/embed", input="three words here").data
    film = open_job(
        str(client.base_url).rstrip("/"), client.api_key, "videos", {"model": "test/film", "prompt": "a cat"}
    )
    until = time.monotonic() + 20
    while len(receipts := stack.gateway.ledger.receipts()) < 4:
        assert time.monotonic() < until, "nobody followed the job"
        time.sleep(0.05)
    cost = sum(record.receipt.cost for record in receipts)
    assert {record.receipt.id: record.receipt.cost for record in receipts}[film["id"]] == parse_credits(
        "0.042"
    ) // 10**9

    until = time.monotonic() + 20
    while stack.gateway.ledger.spent_settled(account_id(account)) != cost:
        assert time.monotonic() < until, "the settle job did not settle"
        time.sleep(0.05)

    result = stack.gateway.reconciler.reconcile(utc_now())
    assert result.differences == ()
    assert stack.gateway.alarms.standing() == ()
    assert withdraw_owed(stack.chain, stack.chain.sender(stack.key("friend")), 1).assets > 0


def test_the_operators_key_opens_what_is_the_operators(stack: LocalStack):
    digest = hashlib.sha256(stack.gateway.operator_key.encode()).digest()

    assert stack.gateway.parts.operator_key_hash == digest


def test_files_of_a_chain_lie_in_its_own_directory(stack: LocalStack, home: Path):
    genesis = stack.chain.rpc.genesis_hash

    assert stack.directory == home / genesis[2:18]
    assert sorted(path.name for path in stack.directory.iterdir() if path.suffix in {".json", ".sqlite"}) == [
        "deployment.json",
        "ledger.sqlite",
        "prices.json",
    ]


def test_a_taken_port_is_refused_before_anything_begins(stack: LocalStack, tmp_path: Path):
    taken, begun = int(stack.gateway_url.rpartition(":")[2]), []

    with pytest.raises(PortTaken) as caught:
        start_local_stack(load_settings(home=tmp_path, port=taken), on_step=begun.append)

    assert caught.value.port == taken
    assert begun == []


def test_dev_keys_are_refused_where_money_is_real():
    with pytest.raises(DevKeyOnRealChain):
        dev_role("settler", local=False)
