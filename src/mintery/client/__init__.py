"""What an app installs to spend credits: sign vouchers, plug into the stock ``openai`` client, read what it cost.

An app that was handed an API key needs none of this: ``openai.OpenAI(base_url=…, api_key="mv1.…")`` is enough. Import costs
stay small on purpose: no web3, no database, no server; ``openai`` itself is imported when a client is made.
"""

from mintery.client.auth import VoucherAuth
from mintery.client.calls import credits, explain_route, quote, read_receipt, why  # noqa: A004 -- the client's word for a balance
from mintery.client.jobs import fetch_job, list_jobs, open_job, read_job
from mintery.client.memberships import begin_membership, end_membership, memberships
from mintery.client.openai import async_openai_client, openai_client
from mintery.client.statements import activity, read_request, save_statement, statement
from mintery.client.vouchers import raise_voucher, sign_voucher_key

__all__ = [
    "VoucherAuth",
    "activity",
    "async_openai_client",
    "begin_membership",
    "credits",
    "end_membership",
    "explain_route",
    "fetch_job",
    "list_jobs",
    "memberships",
    "open_job",
    "openai_client",
    "quote",
    "raise_voucher",
    "read_job",
    "read_receipt",
    "read_request",
    "save_statement",
    "sign_voucher_key",
    "statement",
    "why",
]
