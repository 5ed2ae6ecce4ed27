"""Mintery as ``mintery serve`` runs it: ``python -m tests.bench.gateway``. Everything comes from ``MINTERY_…`` variables."""

from tests.bench.standing import stand

from mintery.bootstrap import build_gateway
from mintery.bootstrap.serving import spare_collector
from mintery.settings import load_settings


def main() -> None:
    gateway = build_gateway(load_settings())
    gateway.sync()
    gateway.board.refresh()
    gateway.jobs.start()
    url = gateway.serve("127.0.0.1", 0)
    spare_collector()
    stand({"url": url + "/v1"})
    gateway.close()


if __name__ == "__main__":
    main()
