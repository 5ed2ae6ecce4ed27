"""``/v1/wallet/keys``: what apps present instead of a voucher; and ``/v1/wallet/vouchers/offer``, which one signature begins."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from mintery.crypto.hashing import parse_address
from mintery.crypto.personal_messages import split_signature
from mintery.domain.keys import LONGEST_LABEL, KeyId, KeyRules, StandingVoucher
from mintery.domain.limits import LimitPeriod
from mintery.domain.project import Project
from mintery.domain.voucher import AccountKey, Address, SignedVoucher, Voucher
from mintery.errors import CredentialRefused, MalformedRequest, NotSignedIn, UnknownGatewayKey
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems
from mintery.units import CreditUnits, NanoCredits, UnixSeconds
from mintery.usecases import keep_keys
from mintery.usecases.keep_keys import MadeKey, NewKey, NewLimit
from mintery.usecases.offer_voucher import VoucherOffer, offer_voucher, spendable_by_keys
from mintery.usecases.parts import GatewayParts
from mintery.wallet.amounts import AmountIn, amount_json
from mintery.wallet.callers import HolderDep
from mintery.wallet.key_shapes import key_json
from mintery.wallet.projects import project_of

ERRORS: ErrorTable = {}
_ADDRESS = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
_NAMES = Field(None, max_length=64)


class OfferIn(AmountIn):
    token: str = _ADDRESS
    days: int = Field(365, ge=1)
    on_top: bool = Field(
        False, description="Beyond what vouchers that stand may still spend: all of an account's share one counter."
    )
    signer: str | None = Field(
        None, pattern=r"^0x[0-9a-fA-F]{40}$", description="Whose key is asked to sign; the holder's if left out."
    )


class VoucherIn(BaseModel):
    """As it was offered, with what the holder's wallet signed."""

    token: str = _ADDRESS
    epoch: int = Field(ge=0, lt=2**32)
    max_spend: str = Field(pattern=r"^[0-9]{1,29}$", description="Credit base units.")
    deadline: int = Field(ge=0, lt=2**40)
    key_hash: str = Field(pattern=r"^0x[0-9a-f]{32}$")
    signature: str = Field(max_length=132)
    signer: str | None = Field(
        None, pattern=r"^0x[0-9a-fA-F]{40}$", description="The session key; the holder if left out."
    )


class LimitIn(AmountIn):
    period: Literal["day", "week", "month"]


class KeyIn(BaseModel):
    label: str = Field(min_length=1, max_length=LONGEST_LABEL)
    voucher: VoucherIn | None = Field(
        None, description="A new one. Without it the key spends by the voucher of `beside`."
    )
    beside: str | None = Field(None, description="A key of yours that it shares the voucher of.")
    models: list[str] | None = _NAMES
    intents: list[str] | None = _NAMES
    expires_at: AwareDatetime | None = None
    limits: list[LimitIn] = Field([], max_length=16)


class KeyChangeIn(BaseModel):
    """What is left out stays."""

    label: str | None = Field(None, max_length=LONGEST_LABEL)
    models: list[str] | None = _NAMES
    intents: list[str] | None = _NAMES
    expires_at: AwareDatetime | None = None
    voucher: VoucherIn | None = None


class RotateIn(BaseModel):
    overlap_seconds: int = Field(3_600, ge=0, le=30 * 86_400)


def keys_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: keys"], responses=problems.responses(NotSignedIn, CredentialRefused))
    unknown = problems.responses(UnknownGatewayKey, MalformedRequest)

    @router.post("/v1/wallet/vouchers/offer")
    def post_offer(request: Request, caller: HolderDep, body: OfferIn) -> dict[str, Any]:
        """What the holder's wallet is asked to sign, so that keys may spend so much more."""
        parts = till_of(request).parts
        project = project_of(parts, body.token)
        signer = None if body.signer is None else parse_address(body.signer)
        more = body.nanocredits(project)
        if body.on_top:
            account = AccountKey(project.token, parts.gateway, caller.holder, signer or caller.holder)
            more = NanoCredits(more + spendable_by_keys(parts, account))
        offer = offer_voucher(parts, caller.holder, project.token, more=more, days=body.days, signer=signer)
        return {"object": "voucher_offer", **offered_json(offer, project)}

    @router.get("/v1/wallet/keys")
    def get_keys(request: Request, caller: HolderDep) -> dict[str, Any]:
        """All keys, the newest first. None shows its text."""
        parts = till_of(request).parts
        return {"object": "list", "data": [key_json(parts, each) for each in parts.ledger.keys(caller.holder)]}

    @router.post("/v1/wallet/keys", responses=unknown)
    def post_key(request: Request, caller: HolderDep, body: KeyIn) -> dict[str, Any]:
        """Make a key. Its text is shown this once."""
        parts = till_of(request).parts
        voucher = _voucher(parts, caller.holder, body)
        project = project_of(parts, voucher.signed.voucher.token)
        wanted = NewKey(
            body.label,
            KeyRules(_set(body.models), _set(body.intents)),
            body.expires_at,
            [NewLimit(LimitPeriod(each.period), each.nanocredits(project)) for each in body.limits],
        )
        return _made(parts, keep_keys.make_key(parts, caller.holder, voucher, wanted))

    @router.get("/v1/wallet/keys/{key_id}", responses=unknown)
    def get_key(request: Request, caller: HolderDep, key_id: str) -> dict[str, Any]:
        """One key."""
        parts = till_of(request).parts
        return key_json(parts, keep_keys.key_of(parts, caller.holder, KeyId(key_id)))

    @router.patch("/v1/wallet/keys/{key_id}", responses=unknown)
    def patch_key(request: Request, caller: HolderDep, key_id: str, body: KeyChangeIn) -> dict[str, Any]:
        """Change a key; its text stays. A field that is sent as null lifts that rule."""
        parts, said = till_of(request).parts, body.model_fields_set
        key = keep_keys.key_of(parts, caller.holder, KeyId(key_id)).key
        rules = KeyRules(
            _set(body.models) if "models" in said else key.rules.models,
            _set(body.intents) if "intents" in said else key.rules.ways,
        )
        digest = key.voucher if body.voucher is None else stand_voucher(parts, caller.holder, body.voucher).digest
        changed = replace(
            key,
            label=body.label or key.label,
            rules=rules,
            expires_at=body.expires_at if "expires_at" in said else key.expires_at,
            voucher=digest,
        )
        return key_json(parts, keep_keys.change_key(parts, caller.holder, changed))

    @router.post("/v1/wallet/keys/{key_id}/rotate", responses=unknown)
    def post_rotation(request: Request, caller: HolderDep, key_id: str, body: RotateIn) -> dict[str, Any]:
        """A new text for the key, shown this once; the old one opens it for the overlap."""
        parts, overlap = till_of(request).parts, timedelta(seconds=body.overlap_seconds)
        return _made(parts, keep_keys.rotate_key(parts, caller.holder, KeyId(key_id), overlap=overlap))

    @router.delete("/v1/wallet/keys/{key_id}", responses=unknown)
    def delete_key(request: Request, caller: HolderDep, key_id: str) -> dict[str, Any]:
        """Revoke a key for good, from the next request on."""
        parts = till_of(request).parts
        return key_json(parts, keep_keys.revoke_key(parts, caller.holder, KeyId(key_id)))

    return router


def _made(parts: GatewayParts, made: MadeKey) -> dict[str, Any]:
    return {**key_json(parts, made.record), "api_key": made.text}


def _voucher(parts: GatewayParts, holder: Address, body: KeyIn) -> StandingVoucher:
    """Raises MalformedRequest, UnknownGatewayKey, CredentialRefused."""
    if (body.voucher is None) == (body.beside is None):
        raise MalformedRequest("a key needs either a voucher or the key that it stands beside", field="voucher")
    if body.voucher is not None:
        return stand_voucher(parts, holder, body.voucher)
    return keep_keys.key_of(parts, holder, KeyId(body.beside or "")).voucher


def stand_voucher(parts: GatewayParts, holder: Address, body: VoucherIn) -> StandingVoucher:
    """Raises CredentialRefused, MalformedInput."""
    voucher = Voucher(
        token=parse_address(body.token),
        gateway=parts.gateway,
        holder=holder,
        epoch=body.epoch,
        max_spend=CreditUnits(int(body.max_spend)),
        deadline=UnixSeconds(body.deadline),
        key_hash=bytes.fromhex(body.key_hash[2:]),
    )
    signer = holder if body.signer is None else parse_address(body.signer)
    r, vs = split_signature(body.signature)
    return keep_keys.add_voucher(parts, holder, SignedVoucher(parts.domain.chain_id, voucher, signer, r, vs))


def offered_json(offer: VoucherOffer, project: Project) -> dict[str, Any]:
    return {
        "voucher": _voucher_json(offer.voucher),
        "usable_until": offer.usable_until,
        **amount_json("more", offer.more, project),
        **amount_json("spent", offer.spent, project),
        "typed_data": offer.typed_data,
    }


def _voucher_json(voucher: Voucher) -> dict[str, Any]:
    """What ``VoucherIn`` reads, but for the signature."""
    return {
        "token": voucher.token,
        "epoch": voucher.epoch,
        "max_spend": str(voucher.max_spend),
        "deadline": voucher.deadline,
        "key_hash": "0x" + voucher.key_hash.hex(),
    }


def _set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
