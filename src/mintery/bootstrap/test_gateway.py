"""A gateway that sells a stub's TEST answers, on a local chain that runs somewhere else."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mintery.bootstrap.gateway import Gateway
from mintery.bootstrap.local import OnStep, build_local_gateway, make_ready, stub_config
from mintery.bootstrap.opening import open_rpc
from mintery.chain.deployment import deployment_path
from mintery.errors import DevKeyOnRealChain
from mintery.providers.stub import Stub, run_stub
from mintery.settings import Settings


@dataclass(slots=True)
class TestGateway:
    """``url`` serves the API; ``close`` ends gateway and stub, never the chain."""

    gateway: Gateway
    stub: Stub
    url: str

    def close(self) -> None:
        self.gateway.close()
        self.stub.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_test_gateway(
    settings: Settings,
    *,
    on_step: OnStep = lambda _line: None,
    jobs: bool = True,
    listeners: Sequence[socket.socket] = (),
) -> TestGateway:
    """Return when requests can be paid. What is missing on the chain is deployed. ``listeners``: as ``Gateway.serve``.

    Raises:
        RpcUnavailable, PortTaken, ConfigurationError
        DevKeyOnRealChain: the chain is not a local one.
    """
    rpc = open_rpc(settings)
    if not rpc.is_local:
        raise DevKeyOnRealChain("the TEST provider")
    stub = run_stub()
    try:
        directory = deployment_path(settings.home, rpc.genesis_hash).parent
        gateway = build_local_gateway(settings, rpc, directory, (stub_config(stub.base_url),), on_step)
    except BaseException:
        stub.stop()
        raise
    started = TestGateway(gateway, stub, "")
    try:
        make_ready(gateway, on_step)
        if jobs:
            gateway.jobs.start()
        started.url = gateway.serve(settings.host, settings.port, listeners=listeners)
    except BaseException:
        started.close()
        raise
    return started
