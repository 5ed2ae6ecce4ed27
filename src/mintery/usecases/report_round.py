"""What a reporter that runs alone goes by in one look."""

from dataclasses import dataclass

from mintery.chain.rpc import BlockRef
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds
from mintery.usecases.exchange_reports import ReportTerms
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class Round:
    """One look at the oracle, all of it at one block but for the time, which is the next block's."""

    head: BlockRef
    terms: ReportTerms
    epoch: int
    now: UnixSeconds
    reporters: tuple[Address, ...]
    quorum: int
    queue_delay: int

    @property
    def observed_at(self) -> UnixSeconds:
        """The block's time, which is when its prices were in force, or the epoch's first second where that is later. The
        next block may bring other prices, and 'unchanged' would mean those.
        """
        return UnixSeconds(max(self.head.timestamp, self.epoch * self.terms.epoch_length))


def read_round(chain: OnChain) -> Round:
    head = chain.rpc.block()
    oracle, now = chain.oracle, chain.next_time()
    terms = ReportTerms(
        chain_id=chain.rpc.chain_id,
        oracle=oracle.address,
        config=oracle.config_digest(at=head),
        epoch_length=oracle.epoch_length(),
        sku_count=len(oracle.sku_names(at=head)),
    )
    return Round(
        head=head,
        terms=terms,
        epoch=oracle.epoch_at(now),
        now=now,
        reporters=oracle.reporters(at=head),
        quorum=oracle.quorum(at=head),
        queue_delay=oracle.queue_delay(),
    )
