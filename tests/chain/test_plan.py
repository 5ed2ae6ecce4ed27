"""A plan tells what a deployment then does, and sends nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mintery.chain.deploy import deploy
from mintery.chain.devchain.chain import DevChain
from mintery.chain.plan import plan_deployment
from mintery.chain.roles import DeployConfig
from mintery.chain.rpc import Rpc, connect
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.errors import SettingMissing

DEPLOYER = dev_key(0)


@pytest.fixture
def fresh() -> Any:
    with DevChain() as chain:
        yield connect(chain.provider())


def test_addresses_transactions_and_gas_are_those_of_the_deployment(fresh: Rpc, config: DeployConfig, tmp_path: Path):
    head = fresh.block()
    plan = plan_deployment(fresh, DEPLOYER.address, config)
    assert fresh.block() == head, "nothing was sent"

    made = deploy(fresh, DEPLOYER, config, tmp_path / "deployment.json")

    assert {c.name: c.address for c in plan.contracts} == {n: c.address for n, c in made.deployment.contracts.items()}
    assert not any(contract.stands for contract in plan.contracts)
    assert plan.transactions == len(made.receipts)
    used = sum(receipt.gas_used for receipt in made.receipts)
    # A byte of an address that is zero costs less than one that is not.
    assert abs(plan.gas - used) < used // 1_000
    assert plan.cost == plan.gas * plan.gas_price > 0
    assert plan.is_affordable


def test_what_stands_costs_nothing(fresh: Rpc, config: DeployConfig, tmp_path: Path):
    deploy(fresh, DEPLOYER, config, tmp_path / "deployment.json")

    again = plan_deployment(fresh, DEPLOYER.address, config)
    more = plan_deployment(fresh, DEPLOYER.address, replace(config, skus=(*config.skus, "acme/tts:second")))

    assert all(contract.stands for contract in again.contracts)
    assert (again.transactions, again.gas) == (0, 0)
    assert more.transactions == 1


def test_a_deployer_without_money_cannot_afford_it(fresh: Rpc, config: DeployConfig):
    poor = plan_deployment(fresh, PrivateKey.generate().address, config)

    assert poor.balance == 0
    assert not poor.is_affordable


def test_a_plan_for_a_real_chain_names_its_asset_and_keeps_its_delays(config: DeployConfig):
    slow = replace(config, queue_delay=3_600, epoch_length=600, admin_delay=7_200)
    with DevChain(chain_id=8453) as chain:
        rpc = connect(chain.provider())
        with pytest.raises(SettingMissing, match="asset"):
            plan_deployment(rpc, DEPLOYER.address, slow)

        plan = plan_deployment(rpc, DEPLOYER.address, replace(slow, asset=dev_key(9).address))

    named = {contract.name: contract for contract in plan.contracts}
    assert (named["Asset"].address, named["Asset"].stands) == (dev_key(9).address, True)
    assert plan.transactions == 7
