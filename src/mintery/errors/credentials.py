"""Who asks may not, or is not who they say."""

from datetime import UTC, datetime

from mintery.errors.base import MinteryError


def _told(at: int) -> str:
    """Unix seconds, for people."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class CredentialRefused(MinteryError):
    """The key or voucher does not open this gateway."""


class CredentialMissing(CredentialRefused):
    def __init__(self) -> None:
        super().__init__("no API key was sent; use a voucher key (mv1.…) or a gateway key (mk_…) as the api_key")


class InvalidSignature(CredentialRefused):
    def __init__(self, why: str) -> None:
        super().__init__(f"the voucher's signature is not its signer's: {why}")
        self.why = why


class WrongSecret(CredentialRefused):
    def __init__(self) -> None:
        super().__init__("the key's secret does not belong to this voucher")


class WrongChain(CredentialRefused):
    def __init__(self, actual: int, expected: int) -> None:
        super().__init__(f"the voucher was signed for chain {actual}; this gateway settles on chain {expected}")
        self.actual = actual
        self.expected = expected


class WrongToken(CredentialRefused):
    def __init__(self, token: str) -> None:
        super().__init__(f"{token} is not a project token that this gateway accepts")
        self.token = token


class WrongGateway(CredentialRefused):
    def __init__(self, actual: str, expected: str) -> None:
        super().__init__(f"the voucher names gateway {actual}; this one is {expected}")
        self.actual = actual
        self.expected = expected


class WrongEpoch(CredentialRefused):
    def __init__(self, actual: int, expected: int) -> None:
        super().__init__(
            f"the voucher is of epoch {actual} and the account, closed since, in epoch {expected}; sign a new voucher"
        )
        self.actual = actual
        self.expected = expected


class VoucherExpired(CredentialRefused):
    """The deadline has passed, or is nearer than the gateway needs to settle (one exit delay)."""

    def __init__(self, deadline: int, usable_until: int) -> None:
        super().__init__(
            f"the voucher could be used until {_told(usable_until)}, which leaves time to settle before its deadline, "
            f"{_told(deadline)}; sign a new one"
        )
        self.deadline = deadline
        self.usable_until = usable_until


class VoucherMismatch(CredentialRefused):
    """A raised voucher that is not of the key's account and secret."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the raised voucher's {field} is not the key's")
        self.field = field


class NotOperator(CredentialRefused):
    def __init__(self) -> None:
        super().__init__("this is for the gateway's operator; send the operator key")


class WebhookForged(CredentialRefused):
    """It does not carry the rail's signature, or an old one. Nothing of it is believed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is no webhook of the rail: {why}")
        self.why = why


class NotSignedIn(CredentialRefused):
    """The wallet's pages and their API are for whoever has signed in; a key may read what is its account's."""

    def __init__(self) -> None:
        super().__init__("nobody is signed in; sign in with your wallet first")


class SignInRefused(CredentialRefused):
    def __init__(self, why: str) -> None:
        super().__init__(f"the sign-in is refused: {why}")
        self.why = why


class WalletNotDeployed(SignInRefused):
    """A contract wallet that has an address and no code yet: nothing on chain can say that the signature is its own."""

    def __init__(self, wallet: str) -> None:
        super().__init__(
            f"the contract wallet {wallet} is not on this chain yet; its first transaction puts it there, then sign in again"
        )
        self.wallet = wallet


class UnknownKey(CredentialRefused):
    """Nothing is known under this secret, or it opens nothing any more."""

    def __init__(self) -> None:
        super().__init__("this key is unknown here; it may be mistyped or of another gateway")


class KeyRevoked(CredentialRefused):
    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key} was revoked, or has another text now; ask its holder for a new one")
        self.key = key


class KeyExpired(CredentialRefused):
    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key} has expired; its holder can move its end, or make another")
        self.key = key


class VoucherRevoked(CredentialRefused):
    """Its holder asked this gateway to spend nothing more by vouchers with this key hash."""

    def __init__(self) -> None:
        super().__init__("its holder revoked this voucher at this gateway")


class KeyMayNot(CredentialRefused):
    """The key is good, and not for this."""

    def __init__(self, message: str, asked: str) -> None:
        super().__init__(message)
        self.asked = asked


class ModelNotAllowed(KeyMayNot):
    def __init__(self, model: str) -> None:
        super().__init__(f"this key may not be used for {model}", model)


class WayNotAllowed(KeyMayNot):
    def __init__(self, way: str) -> None:
        super().__init__(f"this key may not ask for {way}", way)


class NotVoucherOfHolder(CredentialRefused):
    """A voucher that would stand for one holder was signed for another's account."""

    def __init__(self, actual: str, expected: str) -> None:
        super().__init__(f"the voucher is of {actual}; {expected} is signed in")
        self.actual = actual
        self.expected = expected


class ForgedCall(CredentialRefused):
    """A call that changes something and that another site could have made the browser send."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the call is refused: {why}")
        self.why = why
