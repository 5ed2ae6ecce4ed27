"""Lock reserve and mint credits: `.venv/bin/python scripts/mint.py 1000 --key dev:issuer`."""

import argparse

from mintery.bootstrap import open_on_chain
from mintery.cli.keys import read_key
from mintery.cli.run import run_script
from mintery.cli.session import find_token
from mintery.settings import load_settings
from mintery.units import format_assets, format_credits, parse_credits
from mintery.usecases.mint_credits import mint_credits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("credits", help="how many, like 1000 or 12.5")
parser.add_argument("--key", default="dev:issuer", help="who pays: dev:issuer, a keystore file, or a variable's name")
parser.add_argument("--to", help="who receives them; by default whoever pays")
parser.add_argument("--token", help="the project's token or symbol; by default the only one")
parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="the chain's JSON-RPC endpoint")


def main() -> None:
    args = parser.parse_args()
    chain = open_on_chain(load_settings(rpc_url=args.rpc))
    payer = chain.sender(read_key(args.key, local=chain.rpc.is_local))
    token, symbol = find_token(chain, args.token)

    minted = mint_credits(chain, payer, token, parse_credits(args.credits), to=args.to or payer.address)

    print(f"minted {format_credits(minted.credits)} {symbol} for {format_assets(minted.assets)} USD")
    print(f"transaction {minted.tx.hash}")


if __name__ == "__main__":
    run_script(main)
