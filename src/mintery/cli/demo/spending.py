"""The demo's second half: a voucher, two paid calls, receipts, the settlement, the provider's money."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mintery.bootstrap.local import PROVIDER_ID
from mintery.cli.demo.figures import Told, check_figures, read_figures, sum_usd
from mintery.cli.demo.minting import DEPOSITED, MINTED, SYMBOL
from mintery.cli.demo.steps import Demo, Outcome, equal
from mintery.cli.money import assets_text, credits_text, nanos_text
from mintery.client import credits as read_credits
from mintery.client import openai_client, quote, read_receipt
from mintery.domain.model import Unit
from mintery.domain.receipt import receipt_json
from mintery.units import (
    NanoCredits,
    UnixSeconds,
    assets_down,
    assets_of_usd_down,
    credit_units,
    nanocredits,
    parse_credits,
)
from mintery.usecases.issue_voucher import issue_voucher
from mintery.usecases.read_price_book import read_price_book
from mintery.usecases.verify_receipt import verify_receipt
from mintery.usecases.withdraw_owed import withdraw_owed

if TYPE_CHECKING:
    from openai.types import CompletionUsage

    from mintery.domain.receipt import Receipt

MODEL = "test/chat"
PROMISED = parse_credits("100")
_DAY = 86_400


def sign_the_voucher(demo: Demo) -> Outcome:
    chain = demo.chain
    deadline = UnixSeconds(chain.rpc.block().timestamp + _DAY)
    issued = issue_voucher(chain.domain, demo.friend, demo.account, epoch=0, max_spend=PROMISED, deadline=deadline)
    demo.api_key = issued.text
    demo.stack.gateway.sync()
    demo.stack.gateway.board.refresh()
    funds = read_credits(demo.base_url, demo.api_key)
    equal("available at the gateway", int(funds["available_nanocredits"]), nanocredits(DEPOSITED))
    equal("the voucher's room", int(funds["voucher"]["room_nanocredits"]), nanocredits(PROMISED))
    told = f"up to {credits_text(PROMISED, SYMBOL)} for one day: the app's API key"
    return told, {
        "max_spend": str(PROMISED),
        "deadline": deadline,
        "key_hash": "0x" + issued.key.signed.voucher.key_hash.hex(),
    }


def pay_json(demo: Demo) -> Outcome:
    """One JSON call through the stock openai client."""
    asked: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "What is a credit worth?"}],
        "max_tokens": 64,
    }
    most = int(quote(demo.base_url, demo.api_key, asked)["max_cost_nanocredits"])
    with openai_client(demo.base_url, demo.api_key) as client:
        answer = client.chat.completions.create(**asked)
    receipt = _receipt_of(demo, str(answer._request_id), answer.usage, most)  # noqa: SLF001 -- its documented name
    text = answer.choices[0].message.content or ""
    return _told(text, receipt), {"answer": text, **_cost_facts(receipt, most)}


def pay_stream(demo: Demo) -> Outcome:
    """One streamed call, with the usage that was asked for."""
    asked: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "And who pays the model's provider?"}],
        "max_tokens": 64,
    }
    most = int(quote(demo.base_url, demo.api_key, asked)["max_cost_nanocredits"])
    parts, usage = [], None
    with openai_client(demo.base_url, demo.api_key) as client:
        stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        for chunk in stream:
            usage = chunk.usage or usage
            parts += [choice.delta.content or "" for choice in chunk.choices]
        request_id = stream.response.headers["x-request-id"]
    receipt = _receipt_of(demo, request_id, usage, most)
    return _told("".join(parts), receipt), {
        "answer": "".join(parts),
        "chunks": len(parts),
        **_cost_facts(receipt, most),
    }


def _receipt_of(demo: Demo, request_id: str, usage: "CompletionUsage | None", most: int) -> "Receipt":
    """Fetched and checked: signature, sum, the tokens that the client saw, and the quote as the upper bound."""
    receipt = read_receipt(demo.base_url, demo.api_key, request_id)
    used = {line.sku.unit: line.quantity for line in receipt.lines}
    seen = usage.model_dump() if usage else {}
    equal("input tokens on the receipt", used.get(Unit.INPUT_TOKEN, 0), seen.get("prompt_tokens", -1))
    equal("output tokens on the receipt", used.get(Unit.OUTPUT_TOKEN, 0), seen.get("completion_tokens", -1))
    equal("cost within the quote", max(receipt.cost, most), most)
    demo.receipts.append(receipt)
    spent = int(read_credits(demo.base_url, demo.api_key)["voucher"]["spent_nanocredits"])
    equal("spent at the gateway", spent, sum(each.cost for each in demo.receipts))
    return receipt


def _told(text: str, receipt: "Receipt") -> str:
    tokens = sum(line.quantity for line in receipt.lines)
    return f"{tokens} tokens, {nanos_text(receipt.cost, SYMBOL)}\n“{text}”"


def _cost_facts(receipt: "Receipt", most: int) -> dict[str, Any]:
    return {
        "receipt": receipt.id,
        "quoted_nanocredits": str(most),
        "cost_nanocredits": str(receipt.cost),
        "usage": {line.sku.unit: line.quantity for line in receipt.lines},
    }


def verify_receipts(demo: Demo) -> Outcome:
    """Against the oracle's versions and the deployment, as anyone can offline."""
    book = read_price_book(demo.chain)
    checked = [verify_receipt(receipt, book) for receipt in demo.receipts]
    told = f"{len(checked)} receipts hold: signature, sum and every price version"
    return told, {
        "receipts": [receipt_json(receipt) for receipt in demo.receipts],
        "checked": [list(c) for c in checked],
    }


def settle(demo: Demo) -> Outcome:
    """One transaction burns what was charged and credits the provider from the reserve."""
    chain = demo.chain
    supply = chain.token(demo.token).total_supply()
    (batch,) = demo.stack.gateway.settle().batches
    charged = credit_units(NanoCredits(sum(receipt.cost for receipt in demo.receipts)))
    project = chain.vault.project_of(demo.token)
    backing, cost = assets_down(charged, project.par), assets_of_usd_down(sum_usd(demo.receipts))
    equal("supply burned", supply - chain.token(demo.token).total_supply(), charged)
    equal("receipts in the batch", batch.receipts, len(demo.receipts))
    equal("owed to the provider", chain.vault.owed_to(PROVIDER_ID), cost)
    equal("the issuer's margin", project.margin, backing - cost)
    told = f"{credits_text(charged, SYMBOL)} burned in one transaction, {batch.tx.gas_used:,} gas"
    return told, {
        "batch_id": batch.batch_id,
        "lines": batch.lines,
        "receipts": batch.receipts,
        "burned": str(charged),
        "owed": str(cost),
        "margin": str(project.margin),
        "gas_used": batch.tx.gas_used,
        "tx_hash": batch.tx.hash,
    }


def withdraw(demo: Demo) -> Outcome:
    chain = demo.chain
    provider = chain.registry.provider_of(PROVIDER_ID)
    demo.payout_before = chain.asset.balance_of(provider.payout)
    owed = chain.vault.owed_to(provider.id)
    paid = withdraw_owed(chain, chain.sender(demo.issuer), provider.id)
    equal("paid to the provider", paid.assets, owed)
    equal("the provider's balance", chain.asset.balance_of(provider.payout), demo.payout_before + owed)
    told = f"{assets_text(paid.assets)} to {provider.name}, out of the reserve"
    return told, {"provider": provider.name, "assets": str(paid.assets), "tx_hash": paid.tx.hash}


def compare(demo: Demo) -> Outcome:
    """The last word: chain, ledger and receipts at one block, to the last unit."""
    reconciliation = demo.stack.gateway.reconciler.reconcile(datetime.now(UTC))
    reconciliation.raise_on_difference()
    chain = demo.chain
    told = Told(
        token=demo.token,
        wallets=demo.wallets,
        provider_id=PROVIDER_ID,
        payout=chain.registry.provider_of(PROVIDER_ID).payout,
        minted=MINTED,
        locked=demo.locked,
        payout_before=demo.payout_before,
        receipts=tuple(demo.receipts),
    )
    demo.figures = read_figures(chain, demo.stack.gateway.ledger, told, chain.rpc.block())
    check_figures(demo.figures)
    words = f"{len(demo.figures)} figures and {len(reconciliation.checks)} reconciliation checks agree"
    return words, {
        "block": reconciliation.block.number,
        "checks": len(reconciliation.checks),
        "figures": [
            {
                "name": figure.name,
                "unit": figure.unit.value,
                "chain": str(figure.chain),
                "books": str(figure.books),
                "source": figure.source,
                "agrees": figure.agrees,
            }
            for figure in demo.figures
        ],
    }
