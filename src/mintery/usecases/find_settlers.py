"""Whether a settler acted for a gateway at some time, by the escrow's own events: keys are changed, receipts stay."""

from mintery.chain.artifact import load_artifact
from mintery.chain.events import SettlerAppointed, SettlerRevoked, decode_log
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds
from mintery.usecases.find_projects import BLOCKS_AT_ONCE
from mintery.usecases.onchain import OnChain

_EVENTS = (SettlerAppointed, SettlerRevoked)


def was_settler(chain: OnChain, gateway: Address, settler: Address, at: UnixSeconds) -> bool:
    """Whether ``settler`` was appointed by ``at`` (unix seconds) and not revoked again before it."""
    names = {event.__name__ for event in _EVENTS}
    topics = [topic for topic, event in load_artifact("SpendEscrow").abi.events.items() if event.name in names]
    head = chain.rpc.block().number
    acts = False
    for low in range(chain.deployment.first_block, head + 1, BLOCKS_AT_ONCE):
        for log in chain.rpc.logs(low, min(low + BLOCKS_AT_ONCE - 1, head), [chain.escrow.address], topics):
            event = decode_log(log)
            if not isinstance(event, _EVENTS) or (event.gateway, event.settler) != (gateway, settler):
                continue
            if chain.rpc.block(log.block).timestamp > at:
                return acts
            acts = isinstance(event, SettlerAppointed)
    return acts
