import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mintery.chain.access import ADMIN_ROLE, GUARDIAN_ROLE
from mintery.chain.artifact import CONTRACTS
from mintery.chain.contracts import contracts_of
from mintery.chain.deploy import deploy
from mintery.chain.deployment import Deployment, check_chain, deployment_path, load_deployment, moved_contracts
from mintery.chain.devchain.chain import DevChain
from mintery.chain.plan import plan_deployment
from mintery.chain.roles import DeployConfig, check_limits
from mintery.chain.rpc import Call, Rpc, connect
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import dev_key
from mintery.errors import (
    DeploymentMissing,
    DeploymentOfAnotherChain,
    MalformedFile,
    SettingMissing,
    SettingTooLow,
    TransactionReverted,
)
from mintery.units import Wei

from .conftest import Anvil

DEPLOYER = dev_key(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deployment.json"


@pytest.fixture
def fresh() -> Any:
    with DevChain() as chain:
        yield connect(chain.provider())


def test_everything_stands_and_is_set_up(fresh: Rpc, config: DeployConfig, path: Path):
    made = deploy(fresh, DEPLOYER, config, path)

    assert not made.reused
    contracts = contracts_of(fresh, made.deployment)
    assert contracts.vault.escrow() == contracts.escrow.address
    assert contracts.vault.asset() == contracts.asset.address
    assert isinstance(contracts.asset, TestDollar)
    assert set(contracts.oracle.reporters()) == set(config.reporters)
    assert contracts.oracle.quorum() == 3
    assert (contracts.oracle.epoch_length(), contracts.oracle.queue_delay()) == (1, 2)
    assert contracts.escrow.exit_delay() == 3_600
    assert contracts.oracle.sku_names() == ("asset:usd", *config.skus)
    assert [provider.name for provider in contracts.registry.providers()] == ["acme"]
    assert contracts.access.has_role(GUARDIAN_ROLE, DEPLOYER.address) == (True, 0)
    assert load_deployment(path) == made.deployment
    assert moved_contracts(made.deployment, fresh) == ()
    assert set(made.deployment.contracts) == {*CONTRACTS, "Asset"} - {"CreditToken", "PriceFeed", "TestDollar"}
    assert made.deployment.first_block == 1


def test_again_on_the_same_chain_reuses_it_and_sends_nothing(fresh: Rpc, config: DeployConfig, path: Path):
    first = deploy(fresh, DEPLOYER, config, path)
    block, written = fresh.block(), path.read_text()

    again = deploy(fresh, DEPLOYER, config, path)

    assert (again.reused, again.deployment, again.receipts) == (True, first.deployment, ())
    assert fresh.block() == block
    assert path.read_text() == written


def test_again_with_more_adds_only_what_is_new(fresh: Rpc, config: DeployConfig, path: Path):
    deploy(fresh, DEPLOYER, config, path)

    again = deploy(fresh, DEPLOYER, replace(config, skus=(*config.skus, "acme/tts:second")), path)

    assert again.reused
    assert len(again.receipts) == 1
    assert contracts_of(fresh, again.deployment).oracle.sku_of("acme/tts:second") == 2


def test_again_with_other_reporters_replaces_them(fresh: Rpc, config: DeployConfig, path: Path):
    deploy(fresh, DEPLOYER, config, path)
    reporters = tuple(dev_key(index).address for index in (1, 2, 3, 4))

    again = deploy(fresh, DEPLOYER, replace(config, reporters=reporters), path)

    assert again.reused
    assert set(contracts_of(fresh, again.deployment).oracle.reporters()) == set(reporters)


def test_a_lost_file_is_written_again_from_the_chain(fresh: Rpc, config: DeployConfig, path: Path):
    first = deploy(fresh, DEPLOYER, config, path)
    path.unlink()

    again = deploy(fresh, DEPLOYER, config, path)

    assert again.reused
    assert again.receipts == ()
    for name, contract in first.deployment.contracts.items():
        found = again.deployment.contracts[name]
        assert (found.address, found.code_hash) == (contract.address, contract.code_hash)
        assert found.block == contract.block or name == "MinteryFactory"


@pytest.mark.parametrize("steps", range(1, 9))
def test_an_interrupted_run_goes_on_where_it_stopped(fresh: Rpc, config: DeployConfig, path: Path, steps: int):
    class Interrupted(Exception):
        pass

    left = iter(range(steps))

    def interrupt(_step: str) -> None:
        if next(left, None) is None:
            raise Interrupted

    with DevChain() as chain:
        whole = deploy(connect(chain.provider()), DEPLOYER, config, path.with_name("whole.json")).deployment
    try:
        deploy(fresh, DEPLOYER, config, path, on_step=interrupt)
    except Interrupted:
        assert steps < 8

    finished = deploy(fresh, DEPLOYER, config, path)

    assert {name: contract.address for name, contract in finished.deployment.contracts.items()} == {
        name: contract.address for name, contract in whole.contracts.items()
    }
    contracts = contracts_of(fresh, finished.deployment)
    assert contracts.vault.escrow() == contracts.escrow.address
    assert contracts.access.has_role(GUARDIAN_ROLE, DEPLOYER.address)[0]


def test_a_named_file_of_another_chain_is_refused_and_kept(fresh: Rpc, config: DeployConfig, path: Path):
    with DevChain() as other:
        deploy(connect(other.provider()), DEPLOYER, config, path)
    written = path.read_text()
    head = fresh.block()

    with pytest.raises(DeploymentOfAnotherChain) as raised:
        deploy(fresh, DEPLOYER, config, path)
    with pytest.raises(DeploymentOfAnotherChain):
        check_chain(load_deployment(path), fresh, path)

    assert fresh.genesis_hash in raised.value.connected
    assert fresh.genesis_hash not in raised.value.deployed
    assert path.read_text() == written
    assert fresh.block() == head, "nothing was sent"


def test_code_that_was_rolled_back_is_put_where_it_was(fresh: Rpc, config: DeployConfig, path: Path):
    snapshot = fresh.request("evm_snapshot")
    first = deploy(fresh, DEPLOYER, config, path).deployment
    fresh.request("evm_revert", snapshot)
    assert moved_contracts(first, fresh) == tuple(first.contracts)

    again = deploy(fresh, DEPLOYER, config, path)

    assert not again.reused
    assert again.deployment.vault == first.vault
    assert moved_contracts(again.deployment, fresh) == ()


def test_another_admin_takes_over_and_the_deployer_keeps_nothing(fresh: Rpc, config: DeployConfig, path: Path):
    admin, guardian = dev_key(8).address, dev_key(9).address
    config = replace(config, admin=admin, guardian=guardian, admin_delay=86_400)

    made = deploy(fresh, DEPLOYER, config, path)

    contracts = contracts_of(fresh, made.deployment)
    assert contracts.access.has_role(ADMIN_ROLE, admin) == (True, 86_400)
    assert contracts.access.has_role(ADMIN_ROLE, DEPLOYER.address) == (False, 0)
    assert contracts.access.has_role(GUARDIAN_ROLE, guardian) == (True, 0)
    with pytest.raises(TransactionReverted, match="AccessManagerUnauthorizedCall"):
        contracts.access.execute(Sender(fresh, DEPLOYER), contracts.oracle.add_sku_call("acme/x:y"))
    contracts.registry.deactivate(Sender(fresh, dev_key(9)), 1)
    assert deploy(fresh, DEPLOYER, config, path).receipts == ()


def test_an_admin_with_a_delay_announces_what_loosens(fresh: Rpc, config: DeployConfig, path: Path):
    contracts = contracts_of(fresh, deploy(fresh, DEPLOYER, replace(config, admin_delay=7_200), path).deployment)
    admin, loosening = Sender(fresh, DEPLOYER), contracts.oracle.add_sku_call("acme/tts:second")
    with pytest.raises(TransactionReverted, match="AccessManagerNotScheduled"):
        contracts.access.execute(admin, loosening)

    contracts.access.schedule(admin, loosening)
    with pytest.raises(TransactionReverted, match="AccessManagerNotReady"):
        contracts.access.execute(admin, loosening)
    fresh.request("evm_increaseTime", hex(7_200))
    fresh.request("evm_mine")
    contracts.access.execute(admin, loosening)

    assert contracts.oracle.sku_of("acme/tts:second") == 2


@pytest.mark.parametrize(
    ("setting", "limit", "local_limit"),
    [("admin_delay", 7_200, 0), ("exit_delay", 3_600, 3_600), ("queue_delay", 3_600, 2), ("epoch_length", 600, 1)],
)
def test_delays_that_holders_rely_on_cannot_be_lowered(
    config: DeployConfig, setting: str, limit: int, local_limit: int
):
    real = replace(config, asset=DEPLOYER.address, queue_delay=3_600, epoch_length=600, admin_delay=7_200)

    check_limits(replace(real, **{setting: limit}), local=False)
    check_limits(replace(config, **{setting: local_limit}), local=True)
    with pytest.raises(SettingTooLow) as public:
        check_limits(replace(real, **{setting: limit - 1}), local=False)
    with pytest.raises(SettingTooLow) as local:
        check_limits(replace(config, **{setting: local_limit - 1}), local=True)

    assert (public.value.name, public.value.actual, public.value.limit) == (setting, limit - 1, limit)
    assert local.value.limit == local_limit


def test_no_test_money_on_a_chain_that_is_not_local(config: DeployConfig, path: Path):
    with DevChain(chain_id=8453) as chain:
        rpc = connect(chain.provider())
        with pytest.raises(SettingMissing, match="asset"):
            deploy(rpc, DEPLOYER, replace(config, queue_delay=3_600, epoch_length=600, admin_delay=7_200), path)

        assert rpc.block().number == 0
    assert not path.exists()


def test_an_asset_of_ones_own_is_used_as_it_is(fresh: Rpc, config: DeployConfig, path: Path):
    first = deploy(fresh, DEPLOYER, config, path).deployment

    named = deploy(fresh, DEPLOYER, replace(config, asset=first.asset), path.with_name("named.json")).deployment

    assert named.asset == first.asset
    assert not named.has_test_asset
    assert not isinstance(contracts_of(fresh, named).asset, TestDollar)


def test_a_build_that_this_release_does_not_ship_is_named(fresh: Rpc, config: DeployConfig, path: Path):
    deploy(fresh, DEPLOYER, config, path)
    fields = json.loads(path.read_text())
    fields["contracts"]["ReserveVault"]["source_hash"] = "0" * 64
    path.write_text(json.dumps(fields))

    assert deploy(fresh, DEPLOYER, config, path).outdated == ("ReserveVault",)


def test_one_directory_for_each_genesis(tmp_path: Path):
    assert deployment_path(tmp_path, "0x" + "ab" * 32) == tmp_path / ("ab" * 8) / "deployment.json"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"format": "mintery-deployment-9"}', "mintery-deployment-9"),
        ('{"format": "mintery-deployment-1"}', "contracts"),
    ],
)
def test_a_file_that_is_no_deployment(path: Path, text: str, why: str):
    path.write_text(text)

    with pytest.raises(MalformedFile, match=why):
        load_deployment(path)


def test_no_file(path: Path):
    with pytest.raises(DeploymentMissing) as raised:
        load_deployment(path)
    assert "mintery deploy" in raised.value.hint


def addresses(deployment: Deployment) -> dict[str, str]:
    return {name: contract.address for name, contract in deployment.contracts.items()}


@pytest.mark.parametrize("anvil", [("--disable-default-create2-deployer",)], indirect=True)
def test_anvil_deploys_to_the_same_addresses(anvil: str, fresh: Rpc, config: DeployConfig, path: Path):
    """Addresses follow from the deployer, the code and the arguments, not from the chain."""
    here: Deployment = deploy(fresh, DEPLOYER, config, path).deployment
    there = deploy(connect(anvil), DEPLOYER, config, path.with_name("anvil.json")).deployment

    assert addresses(there) == addresses(here)


def test_where_the_proxy_stands_earlier_transactions_move_nothing(anvil: str, config: DeployConfig, path: Path):
    here, busy = connect(anvil), Anvil("--chain-id", "1337")
    try:
        there = connect(busy.url)
        for _ in range(3):
            Sender(there, DEPLOYER).send(Call("pay", DEPLOYER.address, b"", value=Wei(1)))
        planned = plan_deployment(there, DEPLOYER.address, config)

        one = deploy(here, DEPLOYER, config, path).deployment
        other = deploy(there, DEPLOYER, config, path.with_name("other.json")).deployment
        again = deploy(there, DEPLOYER, config, path.with_name("lost.json"))
    finally:
        busy.close()

    assert one.chain_id != other.chain_id
    assert addresses(one) == addresses(other)
    assert {contract.name: contract.address for contract in planned.contracts} == addresses(one)
    assert again.receipts == ()
