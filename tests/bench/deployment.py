"""A chain with the contracts, prices and funded accounts: ``python -m tests.bench.deployment HOME UPSTREAM ACCOUNTS``.

It says where the chain is, which files the gateways under test need, and one API key for each account; the last account is
the hot one. No gateway runs here: the chain idles while others are measured.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.standing import stand

from mintery.bootstrap.gateway import Gateway
from mintery.bootstrap.local import build_local_gateway, make_ready, stub_config
from mintery.bootstrap.price_sources import PRICES_FILE
from mintery.bootstrap.roles import dev_role
from mintery.chain.deployment import deployment_path
from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.chain.terms import Terms
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import AccountKey, Address, Kind
from mintery.providers.config import ProviderConfig
from mintery.settings import Settings
from mintery.units import BasisPoints, CreditUnits, Par, UnixSeconds, parse_assets, parse_credits
from mintery.usecases.issue_voucher import issue_voucher
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.open_project import open_project

CREDITS = parse_credits("100000")
"""Of each account: a request of this bench costs about a hundredth of one."""
MODEL = "test/chat"
_DAYS = 30 * 86_400
_FIRST_SIGNER = 10_001
_HOLDER = "issuer"


def main() -> None:
    home, upstream, accounts = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with DevChain() as devchain, devchain.serve(port=0) as rpc_server:
        rpc = connect(devchain.provider())
        directory = deployment_path(home, rpc.genesis_hash).parent
        provider = stub_config(upstream)
        settings = Settings(home=home, genai_prices=False)
        gateway = build_local_gateway(settings, rpc, directory, (provider,), lambda _line: None)
        try:
            make_ready(gateway, lambda _line: None)
            keys = _open_accounts(gateway, accounts)
        finally:
            gateway.close()
        stand(
            {
                "url": rpc_server.url,
                "deployment": str(directory / "deployment.json"),
                "prices": str(directory / PRICES_FILE),
                "providers": str(_write_providers(directory, provider)),
                "keys": keys,
            }
        )


def _open_accounts(gateway: Gateway, accounts: int) -> list[str]:
    """One holder's credits in accounts of ``accounts`` signers, and the API key of each."""
    chain, holder = gateway.chain, dev_role(_HOLDER, local=True)
    sender = chain.sender(holder)
    total = CreditUnits(CREDITS * accounts)
    terms = Terms(
        name="BENCH_AI_CREDITS",
        symbol="BENCH",
        par=Par(parse_assets("0.01")),
        markup=BasisPoints(1_000),
        fee_recipient=holder.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=tuple({model.provider_id for model in gateway.parts.models.values()}),
        allowlist=False,
        mint_cap=total,
        payout_cap=parse_assets("1000000"),
    )
    token = open_project(chain, sender, terms).token
    mint_credits(chain, sender, token, total, to=holder.address)
    chain.token(token).approve(sender, chain.escrow.address, total)
    deadline = UnixSeconds(chain.rpc.block().timestamp + _DAYS)
    return [
        _open_account(gateway, token, PrivateKey.from_bytes((_FIRST_SIGNER + n).to_bytes(32)), deadline)
        for n in range(accounts)
    ]


def _open_account(gateway: Gateway, token: Address, signer: PrivateKey, deadline: UnixSeconds) -> str:
    chain, holder = gateway.chain, dev_role(_HOLDER, local=True)
    account = AccountKey(token, gateway.address, holder.address, signer.address)
    chain.escrow.deposit(chain.sender(holder), account, CREDITS)
    return issue_voucher(chain.domain, signer, account, epoch=0, max_spend=CREDITS, deadline=deadline).text


def _write_providers(directory: Path, provider: ProviderConfig) -> Path:
    """What ``mintery serve`` reads, with context and answers as large as the bench's own streams need."""
    path = directory / "providers.json"
    models: list[dict[str, Any]] = [
        {
            "id": model.id,
            "upstream": model.upstream,
            "endpoint": model.endpoint.value,
            "units": sorted(model.units),
            "max_output_tokens": model.max_output_tokens,
            "context_tokens": model.context_tokens,
            "max_seconds": model.max_seconds,
            "job_seconds": model.job_seconds,
            "test": True,
        }
        for model in provider.models
    ]
    entry = {
        "name": provider.name,
        "registry_id": provider.registry_id,
        "kind": provider.kind.value,
        "base_url": provider.base_url,
        "models": models,
    }
    path.write_text(json.dumps({"providers": [entry]}, indent=2) + "\n")
    return path


if __name__ == "__main__":
    main()
