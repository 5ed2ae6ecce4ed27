"""A process that opens one video and says its id: ``LEDGER BASE_URL KEY``. Whoever starts it may kill it meanwhile."""

import asyncio
import hashlib
import sys
import time
from datetime import UTC, datetime

import orjson
from prometheus_client import CollectorRegistry
from tests.gateway.rig import DOMAIN, EXIT_DELAY, GATEWAY, IDENTITY, OPERATOR, PROVIDER_ID, SETTLER, market
from tests.gateway.studio import MODELS

from mintery.domain.model import Endpoint
from mintery.domain.voucher import Kind
from mintery.ledger.store import open_ledger
from mintery.providers.config import ProviderConfig
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.openai_compatible import OpenAICompatible
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.meters import Meters
from mintery.usecases.parts import GatewayParts
from mintery.usecases.pay_for_request import Asked, open_till, pay_for_request
from mintery.usecases.verify_credential import verify_credential

FILM = {"model": "test/film", "prompt": "a cat", "seconds": "8", "size": "1280x720"}


async def open_one(ledger_path: str, base_url: str, key: str) -> bytes:
    models = {each.id: each for each in MODELS.values() if each.provider == "test"}
    config = ProviderConfig("test", PROVIDER_ID, Kind.ROUTED, base_url, tuple(models.values()), first_byte_seconds=60)
    sold = market(int(time.time()), models)
    with open_ledger(ledger_path, IDENTITY) as ledger:
        parts = GatewayParts(
            ledger=ledger,
            market=lambda: sold,
            channels=ChannelBoard(models, sellers=[config], ledger=ledger),
            providers={"test": OpenAICompatible(config)},
            job_providers=open_long_jobs([config]),
            domain=DOMAIN,
            gateway=GATEWAY,
            settler=SETTLER,
            exit_delay=EXIT_DELAY,
            settlement_interval=60,
            operator_key_hash=hashlib.sha256(OPERATOR.encode()).digest(),
            clock=lambda: datetime.now(UTC),
        )
        till = open_till(parts, Meters(CollectorRegistry()))
        credential = verify_credential(parts, sold, key, None)
        attempt = await pay_for_request(
            till, sold, credential, Asked(Endpoint.VIDEOS, "/v1/videos", orjson.dumps(FILM), idempotency_key="once")
        )
        whole = await attempt.whole()
        for provider in parts.job_providers.values():
            await provider.close()
        return whole


if __name__ == "__main__":
    sys.stdout.buffer.write(asyncio.run(open_one(*sys.argv[1:])))
