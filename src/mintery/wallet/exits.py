"""``/v1/wallet/exits``: credits out of an account, back to the holder's own wallet. ``/v1/wallet/redemptions``: into dollars."""

from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from mintery.chain.spend_escrow import Account
from mintery.domain.voucher import AccountId
from mintery.errors import (
    KeyMayNot,
    MalformedInput,
    MoveRefused,
    NotSignedIn,
    RelayerSpent,
    RelayMissing,
    TooManyMoves,
    UnknownAccount,
    UnknownProject,
)
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.gateway.tries import Tries
from mintery.ledger.reads import AccountBalance
from mintery.units import (
    NANO_DECIMALS,
    NanoCredits,
    UnixSeconds,
    format_assets,
    format_nanocredits,
    nanocredits_down,
    parse_decimal,
)
from mintery.usecases.parts import GatewayParts
from mintery.usecases.take_out import ExitStep, Unsigned, execute_exit, offer_exit_step, offer_redemption, read_exits
from mintery.wallet.amounts import amount_json
from mintery.wallet.callers import Caller, HolderDep, WholeAccountDep
from mintery.wallet.holdings import moved_json, relay_of, token_of
from mintery.wallet.projects import project_if_known

ERRORS: ErrorTable = {UnknownAccount: Shown(404, "invalid_request_error", attributes=("account",))}
_EXECUTIONS_A_MINUTE = 10
_CREDITS = Field(max_length=40, description="Plain digits, like 12.5; at most nine after the point.")


class ExitStepIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    step: Literal["start", "close", "cancel"] = Field(
        description="`start`: an amount. `close`: everything, and when it is paid out every voucher and key of this account ends."
    )
    credits: str | None = Field(None, max_length=40, description="Of a start: plain digits, like 12.5.")


class RedemptionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    credits: str = _CREDITS


def exits_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: exits"], responses=problems.responses(NotSignedIn, KeyMayNot))
    tries = Tries(_EXECUTIONS_A_MINUTE, in_all=50 * _EXECUTIONS_A_MINUTE)
    refusals = problems.responses(
        MoveRefused, RelayMissing, RelayerSpent, TooManyMoves, MalformedInput, UnknownAccount, UnknownProject
    )

    @router.get("/v1/wallet/exits", responses=problems.responses(RelayMissing))
    def get_exits(request: Request, caller: WholeAccountDep) -> dict[str, Any]:
        """Each account, and what is on its way out of it. Times are the chain's."""
        parts = till_of(request).parts
        mine = [each for each in parts.ledger.accounts(holder=caller.holder) if caller.may_see(each.id)]
        read = read_exits(relay_of(parts), [each.key for each in mine])
        return {
            "object": "list",
            "delay_seconds": parts.exit_delay,
            "data": [_exit_json(parts, *each, read.now) for each in zip(mine, read.accounts, strict=True)],
        }

    @router.post("/v1/wallet/exits/{account}/offer", responses=refusals)
    def post_offer(request: Request, caller: HolderDep, account: str, body: ExitStepIn) -> dict[str, Any]:
        """A step of an exit, for the holder's own wallet to send: nobody else may begin or cancel one."""
        parts = till_of(request).parts
        amount = None if body.credits is None else NanoCredits(parse_decimal(body.credits, NANO_DECIMALS))
        own = _own(parts, caller, account)
        return {
            "object": "exit_offer",
            "step": body.step,
            **_unsigned_json(offer_exit_step(relay_of(parts), own.key, ExitStep(body.step), amount)),
        }

    @router.post("/v1/wallet/exits/{account}/execute", responses=refusals)
    def post_execution(request: Request, caller: HolderDep, account: str) -> dict[str, Any]:
        """Pay out an exit whose delay has passed. The gateway pays what the chain takes for it."""
        parts = till_of(request).parts
        own = _own(parts, caller, account)
        tries.count_one(caller.holder, parts.clock())
        return moved_json(execute_exit(relay_of(parts), own.key), "exit")

    @router.post("/v1/wallet/redemptions/offer", responses=refusals)
    def post_redemption(request: Request, caller: HolderDep, body: RedemptionIn) -> dict[str, Any]:
        """Credits of the holder's own wallet into dollars, for that wallet to send; and what comes of it."""
        parts = till_of(request).parts
        amount = NanoCredits(parse_decimal(body.credits, NANO_DECIMALS))
        unsigned, assets = offer_redemption(relay_of(parts), caller.holder, token_of(parts, body.token), amount)
        return {
            "object": "redemption_offer",
            "credits": format_nanocredits(amount),
            "usd": format_assets(assets),
            **_unsigned_json(unsigned),
        }

    return router


def _own(parts: GatewayParts, caller: Caller, account: str) -> AccountBalance:
    """Another holder's account is as unknown as none."""
    found = parts.ledger.account(AccountId(account)) if caller.may_see(AccountId(account)) else None
    if found is None:
        raise UnknownAccount(account)
    return found


def _exit_json(parts: GatewayParts, own: AccountBalance, there: Account, now: UnixSeconds) -> dict[str, Any]:
    """``spendable``: what new requests may take. ``held``: set aside for requests under way. What the chain has of an exit counts
    before the ledger has seen it.
    """
    project = project_if_known(parts, own.key.token)
    leaving = own.available + own.held if there.closing else nanocredits_down(there.exit_amount)
    told: dict[str, Any] = {
        "object": "exit",
        "account": own.id,
        "signer": own.key.signer,
        "token": own.key.token,
        "symbol": None if project is None else project.symbol,
        "kind": None if project is None else project.kind.value,
        **amount_json("spendable", NanoCredits(max(0, own.available - max(own.exiting, leaving))), project),
        **amount_json("held", own.held, project),
        "pending": None,
    }
    if there.exit_unlock:
        told["pending"] = {
            "closing": there.closing,
            "at": datetime.fromtimestamp(there.exit_unlock, UTC),
            "seconds_left": max(0, there.exit_unlock - now),
            **amount_json("most", NanoCredits(leaving), project),
        }
    return told


def _unsigned_json(unsigned: Unsigned) -> dict[str, Any]:
    """``transaction`` as ``eth_sendTransaction`` takes it."""
    return {
        "chain_id": unsigned.chain_id,
        "transaction": {
            "from": unsigned.sender,
            "to": unsigned.to,
            "data": "0x" + unsigned.calldata.hex(),
            "value": "0x0",
        },
    }
