"""What holders set of limits in tests, and what their calls come to."""

from tests.gateway.rig import CREDIT, TOKEN, Rig
from tests.wallet.browser import Browser

DOLLAR = CREDIT
"""One credit, at par."""
CALL = 44 * CREDIT // 1_000
"""Of ``pictures``."""
FIT = DOLLAR // CALL


def limited(holder: Browser, usd: str = "1", period: str = "week", **scope: str) -> str:
    body = {"token": TOKEN, "usd": usd, "period": period, **scope}
    answer = holder.call("POST", "/v1/wallet/limits", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def statuses(answers: object) -> list[int]:
    return sorted(each.status_code for each in answers)  # type: ignore[attr-defined]  # responses


def counted(gateway: Rig, limit: str, *days: str) -> list[int]:
    return [gateway.ledger.used(f"limit:{limit}:{day}") for day in days]
