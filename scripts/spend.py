"""Spend credits on one model call: `.venv/bin/python scripts/spend.py 100 "Hello!" --key dev:holder`.

Puts credits in escrow, signs a voucher, starts a gateway with a TEST provider in this process, pays one call through the
stock openai client, shows the receipt and settles. With a gateway of your own, only the middle part is needed.
"""

import argparse

from mintery.bootstrap import open_on_chain, start_test_gateway
from mintery.cli.keys import read_key
from mintery.cli.run import run_script
from mintery.cli.session import find_token
from mintery.client import openai_client, read_receipt
from mintery.domain.voucher import AccountKey
from mintery.settings import load_settings
from mintery.units import UnixSeconds, format_nanocredits, parse_credits
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.issue_voucher import issue_voucher

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("credits", help="how many to put in escrow, and the most to spend")
parser.add_argument("prompt", help="what to ask")
parser.add_argument("--key", default="dev:holder", help="who pays: dev:holder, a keystore file, or a variable's name")
parser.add_argument("--token", help="the project's token or symbol; by default the only one")
parser.add_argument("--rpc", default="http://127.0.0.1:8545", help="the chain's JSON-RPC endpoint")


def main() -> None:
    args = parser.parse_args()
    settings = load_settings(rpc_url=args.rpc, host="127.0.0.1", port=0)
    chain, most = open_on_chain(settings), parse_credits(args.credits)
    holder = read_key(args.key, local=chain.rpc.is_local)
    token, symbol = find_token(chain, args.token)

    with start_test_gateway(settings, jobs=False) as local:
        account = AccountKey(token, local.gateway.address, holder.address, holder.address)
        deposit_credits(chain, chain.sender(holder), account, most)
        state, now = chain.escrow.account_of(account), chain.rpc.block().timestamp
        voucher = issue_voucher(
            chain.domain,
            holder,
            account,
            epoch=state.epoch,
            max_spend=most + state.spent,
            deadline=UnixSeconds(now + 86_400),
        )
        local.gateway.sync()
        local.gateway.board.refresh()

        base_url = f"{local.url}/v1"
        with openai_client(base_url, voucher.text) as client:
            answer = client.chat.completions.create(
                model="test/chat", messages=[{"role": "user", "content": args.prompt}]
            )
        receipt = read_receipt(base_url, voucher.text, answer._request_id)  # noqa: SLF001 -- its documented name
        (batch,) = local.gateway.settle().batches

    print(answer.choices[0].message.content)
    print(f"paid {format_nanocredits(receipt.cost)} {symbol}, receipt {receipt.id}")
    print(f"settled in {batch.tx.hash}, {batch.tx.gas_used} gas")


if __name__ == "__main__":
    run_script(main)
