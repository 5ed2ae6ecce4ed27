"""What came in is not well formed, or says what cannot be."""

from mintery.errors.base import MinteryError


class MalformedInput(MinteryError):
    """What was sent cannot be read."""


class MalformedAmount(MalformedInput):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text[:40]!r} is no amount: {why}")
        self.text = text
        self.why = why


class NotWholeNanocredits(MalformedInput):
    def __init__(self, units: int) -> None:
        super().__init__(f"{units} credit base units are not whole nanocredits (multiples of 1e9)")
        self.units = units


class NotWholeCents(MalformedInput):
    """Cards and banks count in cents."""

    field = "usd"

    def __init__(self, assets: int) -> None:
        super().__init__(f"{assets} asset base units are not whole cents (multiples of 10000)")
        self.assets = assets


class TopUpOutOfRange(MalformedInput):
    """Amounts in asset base units."""

    field = "usd"

    def __init__(self, *, actual: int, least: int, limit: int) -> None:
        super().__init__(f"a top-up of {actual} asset base units; between {least} and {limit} are taken")
        self.actual = actual
        self.least = least
        self.limit = limit


class MalformedVoucher(MalformedInput):
    """The text is no voucher. It is never repeated in the message."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the voucher cannot be read: {why}")
        self.why = why


class MalformedSku(MalformedInput):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:80]!r} is no SKU; write provider/model:unit")
        self.text = text


class MalformedWindow(MalformedInput):
    """A time of day that a price is for."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"window {name[:40]!r}: {why}")
        self.name = name
        self.why = why


class MalformedReceipt(MalformedInput):
    def __init__(self, why: str) -> None:
        super().__init__(f"the receipt cannot be read: {why}")
        self.why = why


class MalformedReport(MalformedInput):
    """What should be a signed price report is none, or not for this oracle."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the price report cannot be used: {why}")
        self.why = why


class ReportForOtherConfig(MalformedReport):
    """Signed before the oracle's SKUs, reporters or quorum changed, or by who has seen the change first."""

    def __init__(self) -> None:
        super().__init__("it is for other SKUs, reporters or another quorum than the oracle has")


class MalformedSeal(MalformedInput):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no head of a ledger's seals: POSITION:HASH, as `mintery ledger verify` prints it"
        )
        self.text = text


class UnwritableName(MalformedInput):
    """A project's name or symbol that people cannot type: no eye tells its characters from others."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:40]!r} is no name for a project: write letters, digits and signs of a plain keyboard")
        self.name = name


class LooksLikeAnother(MalformedInput):
    """A project's name or symbol that a person takes for another issuer's project."""

    hint = "Choose another name. Is this fishing for somebody's mistakes? Warn that project's issuer."

    def __init__(self, name: str, other: str, token: str) -> None:
        super().__init__(f"{name[:80]} looks like {other[:80]} at {token}, which another issuer opened before")
        self.name = name
        self.other = other
        self.token = token


class MalformedRequest(MalformedInput):
    def __init__(self, why: str, *, field: str | None = None) -> None:
        super().__init__(why)
        self.field = field


class Unsupported(MalformedRequest):
    """Well formed, but not something this gateway does."""


class ChannelSettingRefused(MalformedInput):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class MultiplierAboveMarkup(ChannelSettingRefused):
    """Basis points; ``limit`` is the highest markup of the projects that pay for the channel."""

    def __init__(self, name: str, actual: int, limit: int) -> None:
        super().__init__(name, f"a multiplier of {actual} basis points is above the projects' markup of {limit}")
        self.actual = actual
        self.limit = limit


class BodyTooLarge(MalformedInput):
    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the body has {size} bytes or more; the limit is {limit}")
        self.size = size
        self.limit = limit


class BodyTooSlow(MalformedInput):
    def __init__(self, seconds: int) -> None:
        super().__init__(f"the body was not whole after {seconds} s")
        self.seconds = seconds


class MalformedPeriod(MalformedInput):
    """No month, or no row of months, that a statement is made for."""

    def __init__(self, period: str, why: str) -> None:
        super().__init__(f"{period} is no period: {why}")
        self.period = period
        self.why = why


class UnknownTimeZone(MalformedInput):
    hint = "Give an IANA name, like Europe/Berlin or UTC."

    def __init__(self, zone: str) -> None:
        super().__init__(f"there is no time zone {zone}")
        self.zone = zone


class ReceiverRefused(MalformedInput):
    """Credits sent there would be lost, or go nowhere."""

    def __init__(self, receiver: str, why: str) -> None:
        super().__init__(f"nothing is sent to {receiver}: {why}")
        self.receiver = receiver
        self.why = why


class SignerNeeded(MalformedInput):
    """A contract wallet names the key whose vouchers spend its account: the escrow asks no contract."""

    def __init__(self, holder: str, actual: str) -> None:
        super().__init__(
            f"{actual} is a contract and signs no vouchers: name as `signer` the key whose vouchers may spend this account"
        )
        self.holder = holder
        self.actual = actual
        self.field = "signer"
