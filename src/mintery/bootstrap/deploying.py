"""Puts the contracts where settings say, with what a local chain needs to be used at once."""

from pathlib import Path

from mintery.bootstrap.local import OnStep, fund_roles, local_deployment, stub_config
from mintery.bootstrap.opening import gateway_address, settler_key
from mintery.bootstrap.roles import dev_role
from mintery.chain.deploy import Deployed, deploy
from mintery.chain.deployment import deployment_path
from mintery.chain.plan import Plan, plan_deployment
from mintery.chain.roles import DeployConfig, appoint_settlers
from mintery.chain.rpc import Rpc
from mintery.crypto.keys import PrivateKey
from mintery.errors import SettingMissing
from mintery.settings import Settings
from mintery.usecases.onchain import OnChain

_NOWHERE = "http://127.0.0.1:0/v1"
"""A deployment names the TEST provider and its SKUs; where it answers is for who serves it."""


def plan_of(rpc: Rpc, deployer: PrivateKey, config: DeployConfig | None) -> Plan:
    """What ``deploy_to`` would do and cost. Nothing is sent.

    Raises:
        SettingMissing: no ``config``, and the chain is not a local one.
        SettingTooLow
    """
    return plan_deployment(rpc, deployer.address, config or _local_config(rpc))


def _local_config(rpc: Rpc) -> DeployConfig:
    if not rpc.is_local:
        raise SettingMissing("--config", "beyond a local chain it names the stablecoin, the reporters and the delays")
    return local_deployment((stub_config(_NOWHERE),))


def deploy_to(
    rpc: Rpc,
    deployer: PrivateKey,
    settings: Settings,
    config: DeployConfig | None,
    *,
    on_step: OnStep = lambda _line: None,
) -> tuple[Path, Deployed]:
    """Deploy, or reuse what stands, and say in which file. Without ``config`` a local chain gets the TEST provider, test
    dollars for the dev accounts and the dev settler.

    Raises:
        SettingMissing: no ``config``, and the chain is not a local one.
        DeploymentOfAnotherChain: the named file is of another chain; it stays as it is.
    """
    path = settings.deployment or deployment_path(settings.home, rpc.genesis_hash)
    if config is not None:
        return path, deploy(rpc, deployer, config, path, on_step=on_step)
    deployed = deploy(rpc, deployer, _local_config(rpc), path, on_step=on_step)
    chain = OnChain.of(rpc, deployed.deployment, confirmations=0)
    fund_roles(chain)
    gateway = dev_role("gateway", local=True)
    if gateway_address(settings, local=True) == gateway.address:
        appoint_settlers(chain.escrow, chain.sender(gateway), [settler_key(settings, local=True).address])
    return path, deployed
