"""Which of the chain's endpoints are out, as alarms that name each; those that are right again are taken back."""

from collections.abc import Sequence
from datetime import datetime

from mintery.chain.member import EndpointFault
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import OnChain


def watch_endpoints(chain: OnChain, alarms: Alarms, now: datetime) -> Sequence[EndpointFault]:
    """One alarm for each endpoint that is silent, of another chain, or outvoted; it falls when the endpoint is right."""
    faults = chain.rpc.look_after_endpoints()
    out = {fault.url for fault in faults}
    for standing in alarms.standing():
        if standing.alarm is Alarm.RPC_ENDPOINT and standing.subject not in out:
            alarms.clear(Alarm.RPC_ENDPOINT, subject=standing.subject)
    for fault in faults:
        alarms.sound(Alarm.RPC_ENDPOINT, f"{fault.fault}: {fault.why}", now, subject=fault.url)
    return faults
