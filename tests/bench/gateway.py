"""Mintery as it is served: ``python -m tests.bench.gateway LEDGER_URL``; everything else comes from ``MINTERY_…`` variables."""

import sys

from tests.bench.standing import stand

from mintery.bootstrap import gateway as building
from mintery.bootstrap.gateway import build_gateway
from mintery.ledger.opening import LedgerIdentity
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.settings import Settings, load_settings
from mintery.usecases.onchain import OnChain


def main() -> None:
    url = sys.argv[1]

    def open_named(_settings: Settings, chain: OnChain) -> LedgerStore:
        return open_ledger(url, LedgerIdentity(chain.rpc.chain_id, chain.rpc.genesis_hash, chain.escrow.address))

    building.open_gateway_ledger = open_named
    settings = load_settings()
    gateway = build_gateway(settings)
    gateway.sync()
    gateway.board.refresh()
    gateway.jobs.start()
    stand({"url": gateway.serve("127.0.0.1", 0) + "/v1"})
    gateway.close()


if __name__ == "__main__":
    main()
