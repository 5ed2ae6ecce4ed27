"""Put Mintery on a local chain and open a project on it: `.venv/bin/python scripts/deploy.py --symbol PXAI`.

Run it again and it finds what stands already. Beyond a local chain, `mintery deploy --config` does this.
"""

import argparse

from mintery.bootstrap import deploy_to, dev_role, open_on_chain, open_rpc
from mintery.chain.terms import Terms
from mintery.cli.run import run_script
from mintery.domain.voucher import Kind
from mintery.settings import load_settings
from mintery.units import BasisPoints, Par, parse_assets, parse_credits
from mintery.usecases.check_project_name import check_project_name
from mintery.usecases.find_projects import find_projects
from mintery.usecases.open_project import open_project

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="the chain's JSON-RPC endpoint")
parser.add_argument("--name", default="PROJECTX_AI_CREDITS", help="the token's name")
parser.add_argument("--symbol", default="PXAI", help="the token's symbol")
parser.add_argument("--par", default="0.01", help="dollars behind one credit")


def main() -> None:
    args = parser.parse_args()
    settings = load_settings(rpc_url=args.rpc)
    rpc = open_rpc(settings)
    issuer = dev_role("issuer", local=rpc.is_local)
    path, _ = deploy_to(rpc, dev_role("admin", local=rpc.is_local), settings, None)
    chain = open_on_chain(settings, rpc)

    token = next((known.token for known in find_projects(chain) if known.terms.symbol == args.symbol), None)
    if token is None:
        terms = Terms(
            name=args.name,
            symbol=args.symbol,
            par=Par(parse_assets(args.par)),
            markup=BasisPoints(1_000),
            fee_recipient=issuer.address,
            public_mint=True,
            kind=Kind.ROUTED,
            providers=tuple(provider.id for provider in chain.registry.providers()),
            allowlist=False,
            mint_cap=parse_credits("1000000"),
            payout_cap=parse_assets("100000"),
        )
        check_project_name(chain, issuer.address, name=args.name, symbol=args.symbol)
        token = open_project(chain, chain.sender(issuer), terms).token
    print(f"deployment {path}")
    print(f"token {token}")


if __name__ == "__main__":
    run_script(main)
