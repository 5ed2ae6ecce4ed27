"""Send credits to another wallet: `.venv/bin/python scripts/transfer.py 250 dev:holder --key dev:issuer`."""

import argparse

from mintery.bootstrap import open_on_chain
from mintery.cli.keys import read_key
from mintery.cli.run import run_script
from mintery.cli.session import address_of, find_token
from mintery.settings import load_settings
from mintery.units import format_credits, parse_credits
from mintery.usecases.transfer_credits import transfer_credits

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("credits", help="how many, like 250 or 12.5")
parser.add_argument("to", help="the receiver's address, or a dev account like dev:holder")
parser.add_argument("--key", default="dev:issuer", help="who sends: dev:issuer, a keystore file, or a variable's name")
parser.add_argument("--token", help="the project's token or symbol; by default the only one")
parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="the chain's JSON-RPC endpoint")


def main() -> None:
    args = parser.parse_args()
    chain = open_on_chain(load_settings(rpc_url=args.rpc))
    holder = chain.sender(read_key(args.key, local=chain.rpc.is_local))
    to = address_of(args.to, local=chain.rpc.is_local)
    token, symbol = find_token(chain, args.token)

    sent = transfer_credits(chain, holder, token, to, parse_credits(args.credits))

    print(f"sent {args.credits} {symbol} to {to}")
    print(f"left {format_credits(chain.token(token).balance_of(holder.address))} {symbol}")
    print(f"transaction {sent.hash}")


if __name__ == "__main__":
    run_script(main)
