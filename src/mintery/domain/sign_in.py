"""Sign-in with Ethereum: the message of EIP-4361, which a wallet shows its owner and signs (EIP-191).

Written and read strictly: what the standard's grammar does not allow is refused, and optional fields come in its order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from mintery.domain.voucher import Address
from mintery.errors import SignInRefused

SignInId = NewType("SignInId", str)
"""``sin_`` and 16 hex digits. The token that a browser keeps is another thing, and is stored as a hash alone."""

LONGEST_SIGN_IN = timedelta(hours=12)
LONGEST_OF_CONTRACT = timedelta(minutes=30)
"""A contract wallet's owners may change, and nothing tells the gateway: it is asked again so often, by a new signature."""
NONCE_LIFE = timedelta(minutes=10)
LONGEST_MESSAGE = 4_096
STATEMENT = "Sign in to your AI credits. This costs nothing and moves nothing."
_GRAMMAR = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<domain>[A-Za-z0-9.\-:\[\]]+) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n"
    r"\n(?:(?P<statement>[^\n]+)\n)?"
    r"\nURI: (?P<uri>[^\s]+)\n"
    r"Version: (?P<version>[0-9]+)\n"
    r"Chain ID: (?P<chain>[0-9]{1,18})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,64})\n"
    r"Issued At: (?P<issued>[0-9T:.+\-Z]{19,35})"
    r"(?:\nExpiration Time: (?P<expires>[0-9T:.+\-Z]{19,35}))?"
    r"(?:\nNot Before: (?P<begins>[0-9T:.+\-Z]{19,35}))?"
    r"(?:\nRequest ID: (?P<request>[^\n]*))?"
    r"(?:\nResources:(?P<resources>(?:\n- [^\s]+)*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Nonce:
    """What one message may carry, and one sign-in begin with, before ``expires_at``."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What was signed. ``domain`` is host and port as the browser shows them; ``address`` as it was written."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    expires_at: datetime | None = None
    not_before: datetime | None = None
    scheme: str | None = None
    statement: str | None = None
    resources: Sequence[str] = ()


def format_sign_in(message: SignInMessage) -> str:
    """As wallets sign it."""
    lines = [
        f"{f'{message.scheme}://' if message.scheme else ''}{message.domain} wants you to sign in with your Ethereum account:",
        message.address,
        "",
        *([message.statement] if message.statement else []),
        "",
        f"URI: {message.uri}",
        "Version: 1",
        f"Chain ID: {message.chain_id}",
        f"Nonce: {message.nonce}",
        f"Issued At: {_written(message.issued_at)}",
        *([] if message.expires_at is None else [f"Expiration Time: {_written(message.expires_at)}"]),
        *([] if message.not_before is None else [f"Not Before: {_written(message.not_before)}"]),
        *(["Resources:", *(f"- {each}" for each in message.resources)] if message.resources else []),
    ]
    return "\n".join(lines)


def _written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def parse_sign_in(text: str) -> SignInMessage:
    """Raises SignInRefused where ``text`` is no such message."""
    found = _GRAMMAR.fullmatch(text) if len(text) <= LONGEST_MESSAGE else None
    if found is None:
        raise SignInRefused("the message is not as EIP-4361 writes it")
    if found["version"] != "1":
        raise SignInRefused("its version is not 1")
    return SignInMessage(
        domain=found["domain"],
        address=found["address"],
        uri=found["uri"],
        chain_id=int(found["chain"]),
        nonce=found["nonce"],
        issued_at=_instant(found["issued"]),
        expires_at=None if found["expires"] is None else _instant(found["expires"]),
        not_before=None if found["begins"] is None else _instant(found["begins"]),
        scheme=found["scheme"],
        statement=found["statement"],
        resources=tuple((found["resources"] or "").replace("\n- ", "\n").split("\n")[1:]),
    )


def _instant(text: str) -> datetime:
    """Raises SignInRefused."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise SignInRefused(f"{text} is no time with its offset")
    return instant


def check_sign_in(message: SignInMessage, *, site: "Site", chain_id: int, now: datetime) -> None:
    """Whether it was signed for this site and this chain, and holds now. The nonce is whoever issued it to check.

    Raises:
        SignInRefused
    """
    if message.domain != site.host or message.scheme not in {None, site.scheme}:
        raise SignInRefused(f"it was signed for {message.domain}, not for {site.host}")
    if message.uri != site.origin and not message.uri.startswith(f"{site.origin}/"):
        raise SignInRefused(f"its URI is not of {site.origin}")
    if message.chain_id != chain_id:
        raise SignInRefused(f"it was signed for chain {message.chain_id}, not for {chain_id}")
    if message.issued_at > now + _CLOCKS_APART or message.issued_at < now - NONCE_LIFE - _CLOCKS_APART:
        raise SignInRefused("it was not written now")
    if message.expires_at is not None and now >= message.expires_at:
        raise SignInRefused("it has expired")
    if message.not_before is not None and now < message.not_before:
        raise SignInRefused("it does not hold yet")


_CLOCKS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a holder's browser finds the wallet: ``host`` with its port, where that is not the scheme's own."""

    scheme: str
    host: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def secure(self) -> bool:
        return self.scheme == "https"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser or program that has proved whose it is. ``holder`` None: the gateway's operator."""

    id: SignInId
    holder: Address | None
    began_at: datetime
    expires_at: datetime
