"""An endpoint that is out is an alarm of its own, and no other one falls with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.usecases.town import Town, now

from mintery.chain.endpoint import Request, Wire
from mintery.chain.endpoints import Endpoints
from mintery.chain.rpc import Rpc
from mintery.errors import RpcUnavailable
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import OnChain
from mintery.usecases.watch_endpoints import watch_endpoints


@dataclass
class Switched(Wire):
    """The town's chain, which answers while ``on``."""

    wire: Wire
    url: str
    on: bool = True

    def request(self, method: str, *parameters: Any) -> Any:
        self._check()
        return self.wire.request(method, *parameters)

    def request_all(self, wanted: Sequence[Request]) -> list[Any]:
        self._check()
        return self.wire.request_all(wanted)

    def _check(self) -> None:
        if not self.on:
            raise RpcUnavailable(self.url, "no answer in time")


@pytest.fixture
def nodes(town: Town) -> list[Switched]:
    return [Switched(town.rpc.wire, f"https://{name}") for name in "abc"]


@pytest.fixture
def chain(town: Town, nodes: list[Switched]) -> OnChain:
    return replace(town.chain, rpc=Rpc(Endpoints(nodes)))


def test_an_alarm_for_each_that_is_out_until_it_is_back(chain: OnChain, nodes: list[Switched]):
    alarms = Alarms()
    alarms.sound(Alarm.PRICES, "others stay", now())
    nodes[0].on = nodes[1].on = False
    with pytest.raises(RpcUnavailable):
        chain.rpc.block()

    watch_endpoints(chain, alarms, now())

    out = {alarm.subject: alarm.why for alarm in alarms.standing() if alarm.alarm is Alarm.RPC_ENDPOINT}
    assert out == {"https://a": "silent: no answer in time", "https://b": "silent: no answer in time"}

    nodes[0].on = True
    watch_endpoints(chain, alarms, now())

    assert [(alarm.alarm, alarm.subject) for alarm in alarms.standing()] == [
        (Alarm.PRICES, ""),
        (Alarm.RPC_ENDPOINT, "https://b"),
    ]
