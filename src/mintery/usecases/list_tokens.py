"""The projects' tokens as wallets and exchanges list them: Uniswap's token-list format."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mintery.chain.events import ProjectOpened
from mintery.chain.rpc import BlockRef
from mintery.domain.lookalikes import Named, looks_like
from mintery.domain.voucher import Address
from mintery.errors import UnknownProject
from mintery.units import CREDIT_DECIMALS
from mintery.usecases.find_projects import find_projects
from mintery.usecases.onchain import OnChain

_SYMBOL = re.compile(r"\S{1,20}")
_NAME = re.compile(r"[ \S]{1,60}")
"""A token's own limit is shorter: 31 bytes."""
_RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class TokenList:
    """``content`` is the file; ``left_out`` are tokens whose names no list may carry, and ``fakes`` those that look like one
    that another issuer opened before, each with that one.
    """

    content: dict[str, Any]
    left_out: tuple[Address, ...]
    fakes: tuple[tuple[Address, Address], ...] = ()


def list_tokens(chain: OnChain, at: BlockRef, *, issuers: Collection[Address] = ()) -> TokenList:
    """Every project, or those of ``issuers``, as of one block.

    Anyone may open a project under any name, so what looks like an earlier project of another issuer is left out, and a list for the public is one of issuers that its publisher knows. The minor
    version counts the tokens, as the format has it: additions raise it, and nothing is ever removed.

    Raises:
        UnknownProject: there is none to list; the format knows no empty list.
    """
    opened = [project for project in find_projects(chain, last=at.number) if not issuers or project.issuer in issuers]
    listed: list[ProjectOpened] = []
    fakes: dict[Address, Address] = {}
    for project in filter(_fits, opened):
        if (known := _taken_for(project, listed)) is None:
            listed.append(project)
        else:
            fakes[project.token] = known.token
    if not listed:
        raise UnknownProject(", ".join(issuers) or None, [f"{p.terms.symbol} {p.token}" for p in opened])
    content = {
        "name": "Mintery AI credits",
        "timestamp": datetime.fromtimestamp(at.timestamp, UTC).isoformat(),
        "version": {"major": 1, "minor": len(listed), "patch": 0},
        "keywords": ["ai", "credits", "mintery"],
        "tags": {_RETIRED: {"name": "Retired", "description": "No longer minted or spent: redeem it at par"}},
        "tokens": [_token(chain, project, at) for project in listed],
    }
    left_out = tuple(project.token for project in opened if not _fits(project))
    return TokenList(content, left_out, tuple(fakes.items()))


def _taken_for(project: ProjectOpened, earlier: Iterable[ProjectOpened]) -> Named | None:
    others = (
        Named(each.token, each.terms.name, each.terms.symbol) for each in earlier if each.issuer != project.issuer
    )
    return looks_like(project.terms.name, project.terms.symbol, others)


def _fits(project: ProjectOpened) -> bool:
    name, symbol = project.terms.name, project.terms.symbol
    return bool(_SYMBOL.fullmatch(symbol) and _NAME.fullmatch(name))


def _token(chain: OnChain, project: ProjectOpened, at: BlockRef) -> dict[str, Any]:
    token: dict[str, Any] = {
        "chainId": chain.rpc.chain_id,
        "address": project.token,
        "name": project.terms.name,
        "symbol": project.terms.symbol,
        "decimals": CREDIT_DECIMALS,
        "extensions": {"issuer": project.issuer, "reserveVault": chain.vault.address, "par": project.terms.par},
    }
    if chain.vault.project_of(project.token, at=at).retired_at:
        token["tags"] = [_RETIRED]
    return token
