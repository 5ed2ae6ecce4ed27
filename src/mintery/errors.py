"""One tree for everything that can go wrong. Each error carries what a caller may act on; none carries an HTTP status.

MinteryError
├── ConfigurationError      the machine, a file or a setting: SettingMissing, SettingTooLow, MalformedFile,
│                           CompilerMissing, CompilationFailed, PortTaken, DeploymentMissing, DeploymentOfAnotherChain,
│                           LedgerOfAnotherChain, UnknownAccountKey, SettingRefused, DevKeyOnRealChain, AnvilMissing,
│                           AnvilFailed, SystemRefused, ChildFailed, NotForProcesses, SourcesDiffer,
│                           AssetNotSignable
├── MalformedInput          MalformedAmount, NotWholeNanocredits, NotWholeCents, TopUpOutOfRange, MalformedVoucher, MalformedRequest, BodyTooLarge,
│                           BodyTooSlow, MalformedSku, MalformedWindow, MalformedReceipt, MalformedReport,
│                           UnwritableName, LooksLikeAnother, ReportForOtherConfig, MalformedSeal, Unsupported, MalformedPeriod, UnknownTimeZone,
│                           ReceiverRefused, ChannelSettingRefused, MultiplierAboveMarkup
├── CredentialRefused       CredentialMissing, InvalidSignature, WrongSecret, WrongChain, WrongToken, WrongGateway,
│                           WrongEpoch, VoucherExpired, VoucherMismatch, NotOperator, NotSignedIn, SignInRefused,
│                           ForgedCall, UnknownKey, KeyRevoked, KeyExpired, VoucherRevoked, KeyMayNot,
│                           ModelNotAllowed, WayNotAllowed, NotVoucherOfHolder
│                           WrongEpoch, VoucherExpired, VoucherMismatch, NotOperator, WebhookForged, NotSignedIn, SignInRefused,
│                           ForgedCall
├── OutOfFunds              InsufficientBalance, VoucherExhausted, LimitReached
├── Conflict                VoucherAlreadyUsed, IdempotencyConflict, AnswerGone, RequestUnderWay, RequestUnresolved,
│                           AttemptFailed, WriteOffRefused, OrderTransitionRefused, MoveRefused,
│                           ChannelChangedMeanwhile, JobNotDone, MonthAboveAgreed
├── NotFound                UnknownModel, ModelNotCovered, UnknownReceipt, UnknownSku, UnknownProvider,
│                           ChannelChangedMeanwhile, JobNotDone
├── NotFound                UnknownModel, ModelNotCovered, UnknownOrder, UnknownReceipt, UnknownSku, UnknownProvider,
│                           UnknownProject, UnknownHalt, FileMissing, UnknownRequest, NoRoute, RouteExcluded,
│                           RouteTooDear, UnknownChannel, UnknownMembership, MembershipNotSold, MembershipNeeded,
│                           UnknownJob, NothingToFetch, MembershipEnded
│                           UnknownJob, NothingToFetch, UnknownGatewayKey, UnknownLimit, UnknownAuthority
├── NotAvailable            ModelUnpriced, SkuUnroutable, PriceStale, PriceQueued, HoldAboveStaleLimit, MarketUnread, LedgerBehind,
│                           AssetDepegged, ReserveShort, Draining, PayoutCapReached, Overloaded,
│                           AccountBusy, HoldTooLong, NoRouteNow, RouteBroken, RouteOnTrial, ResaleForbidden,
│                           TooManyTries, RelayMissing, StatementsBusy, StatementTooSlow, RateLimited, RateAboveLimit,
│                           ClientGone, ChannelDisabled
├── ProviderFailed          ProviderUnreachable, ProviderTimedOut, ProviderRefused, ProviderNonsense, StreamBroke,
│                           NotInItsFormat, AnswerTooLong
├── RailError               RailUnavailable, RailRefused, RailNonsense, RailNotOffered
├── FetchFailed             a public page: a price list, another reporter's reports
├── AnswerLost              a fault of this gateway while it answered
├── GatewayError            as an app meets it: GatewayUnreachable, GatewayRefused
├── LedgerError             HoldNotOpen, CaptureExceedsHold, LedgerClosed, LedgerUnavailable, LedgerRefused,
│                           LedgerInconsistent, LeadershipLost
├── ChainError              RpcUnavailable, RpcRefused, RpcsDisagree, TransactionReverted, TransactionMissing,
│                           TransactionReplaced, OutcomeMismatch, BlockReplaced, FinalBlockReplaced, SettlementHalted, QuorumMissing,
│                           NotReporter
└── CheckFailed             ReceiptRefused, TokenListRefused, ReconciliationFailed
"""

import re
from collections.abc import Mapping, Sequence

_SECRET = re.compile(r"(0x)?[0-9a-fA-F]{32,}|(\w+\s+){11,}\w+")


class MinteryError(Exception):
    """The root. ``hint`` is one line on what to do about it, or empty."""

    hint: str = ""


def snake_case(name: str) -> str:
    """How an error's name is told to programs."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class ConfigurationError(MinteryError):
    """The machine, a file or a setting is not as it must be."""


class SettingMissing(ConfigurationError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} is not set: {why}")
        self.name = name


class SettingRefused(ConfigurationError):
    """A setting's value is of the wrong form. The value may be a secret and is not repeated."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class SettingTooLow(ConfigurationError):
    """A protocol time or size below what this chain allows."""

    def __init__(self, name: str, *, actual: int, limit: int) -> None:
        super().__init__(f"{name} is {actual}; at least {limit} is needed on this chain")
        self.name = name
        self.actual = actual
        self.limit = limit


class MalformedFile(ConfigurationError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class CompilerMissing(ConfigurationError):
    hint = "Set SOLC to a solc 0.8.30 or newer, or run `npm ci` in contracts/ for the packaged one."

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(f"no Solidity compiler found; tried {', '.join(tried)}")
        self.tried = tuple(tried)


class CompilationFailed(ConfigurationError):
    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("the contracts do not compile:\n" + "\n".join(messages))
        self.messages = tuple(messages)


class PortTaken(ConfigurationError):
    hint = "Is Mintery running already? Else choose another with --port (for the chain of `mintery up`: --rpc-port)."

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is taken by another program")
        self.host = host
        self.port = port


class SystemRefused(ConfigurationError):
    """The operating system did not let us: no right, no room, no such folder. ``path`` is None where no file is meant."""

    def __init__(self, path: str | None, why: str) -> None:
        super().__init__(f"{'the system refused' if path is None else path}: {why}")
        self.path = path
        self.why = why


class ChildFailed(ConfigurationError):
    """A process of several did not get ready. ``said`` is what it printed; ``code`` is how it ended."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"a gateway process ended with {code} before it was ready")
        self.code = code
        self.said = said


class NotForProcesses(ConfigurationError):
    """What was asked for does not work with several processes."""

    hint = "Name a PostgreSQL with --ledger postgresql://…, or take one process."

    def __init__(self, processes: int, why: str) -> None:
        super().__init__(f"{processes} processes: {why}")
        self.processes = processes
        self.why = why


class AnvilMissing(ConfigurationError):
    hint = "Install Foundry, or run `npm ci` in contracts/ for the packaged anvil."

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(f"no anvil found; tried {', '.join(tried)}")
        self.tried = tuple(tried)


class AnvilFailed(ConfigurationError):
    """anvil did not start, or ended by itself. ``output`` is what it said last."""

    def __init__(self, executable: str, output: str) -> None:
        super().__init__(f"{executable} does not run: {output.strip() or 'it said nothing'}")
        self.executable = executable
        self.output = output


class DeploymentMissing(ConfigurationError):
    hint = "Run `mintery deploy` first. Deployed already? Name the file with --deployment, or its MINTERY_HOME."

    def __init__(self, path: str) -> None:
        super().__init__(f"no deployment at {path}")
        self.path = path


class SourcesDiffer(ConfigurationError):
    """Contracts on the chain were built from other sources than are at hand."""

    hint = "Check out the release that deployed them, and run `npm ci` in contracts/."

    def __init__(self, contract: str, path: str) -> None:
        super().__init__(f"{contract} on the chain was not built from the sources in {path}")
        self.contract = contract
        self.path = path


class AssetNotSignable(ConfigurationError):
    """The reserve asset's EIP-712 domain is none that its name, chain and address make."""

    hint = "Mint by approval instead: `mintery mint`, then `mintery deposit`."

    def __init__(self, name: str, asset: str) -> None:
        super().__init__(f"no authorization can be signed for {name} at {asset}: its EIP-712 domain is unknown")
        self.name = name
        self.asset = asset


class DeploymentOfAnotherChain(ConfigurationError):
    """A named deployment file was written for another chain. Nothing was overwritten."""

    hint = "Without --deployment the chain's own file is taken; --rpc names another chain."

    def __init__(self, path: str, *, deployed: str, connected: str) -> None:
        super().__init__(
            f"{path} belongs to chain {deployed}, but the rpc serves chain {connected}; nothing was changed"
        )
        self.path = path
        self.deployed = deployed
        self.connected = connected


class LedgerOfAnotherChain(ConfigurationError):
    """A named ledger was opened for another chain or deployment. Nothing was overwritten."""

    hint = "Without --ledger the chain's own file is taken; --rpc names another chain."

    def __init__(self, path: str, *, recorded: str, expected: str) -> None:
        super().__init__(f"the ledger {path} belongs to {recorded}, not to {expected}; nothing was changed")
        self.path = path
        self.recorded = recorded
        self.expected = expected


class UnknownAccountKey(ConfigurationError):
    """A name or number that stands for no private key here. What looks like a key or seed words is not repeated."""

    hint = "Name a dev account like dev:issuer, a keystore file, or an environment variable that holds the key."

    def __init__(self, name: str) -> None:
        secret = _SECRET.fullmatch(name.strip()) is not None
        self.name = "(not repeated)" if secret else name
        super().__init__("--key takes the name of a key, not the key" if secret else f"no key is known as {name!r}")


class DevKeyOnRealChain(ConfigurationError):
    hint = "Name a keystore file or an environment variable with --key."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a key that everyone knows; it signs on local chains only")
        self.name = name


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


class CredentialRefused(MinteryError):
    """The key or voucher does not open this gateway."""


class CredentialMissing(CredentialRefused):
    def __init__(self) -> None:
        super().__init__("no API key was sent; use a voucher key (mv1.…) as the api_key")


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
        super().__init__(f"the voucher is of epoch {actual}; the account is in epoch {expected}")
        self.actual = actual
        self.expected = expected


class VoucherExpired(CredentialRefused):
    """The deadline has passed, or is nearer than the gateway needs to settle (one exit delay)."""

    def __init__(self, deadline: int, usable_until: int) -> None:
        super().__init__(
            f"the voucher could be used until {usable_until} (its deadline {deadline} less the time to settle)"
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


class UnknownKey(CredentialRefused):
    """Nothing is known under this secret, or it opens nothing any more."""

    def __init__(self) -> None:
        super().__init__("this key is unknown here; it may be mistyped or of another gateway")


class KeyRevoked(CredentialRefused):
    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key} was revoked, or replaced by another secret")
        self.key = key


class KeyExpired(CredentialRefused):
    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key} has expired")
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


class OutOfFunds(MinteryError):
    """Not enough to spend. Amounts are nanocredits."""

    def __init__(self, message: str, *, account: str, required: int, available: int) -> None:
        super().__init__(message)
        self.account = account
        self.required = required
        self.available = available


class InsufficientBalance(OutOfFunds):
    def __init__(self, *, account: str, required: int, available: int) -> None:
        super().__init__(
            f"the account has {available} nanocredits to spend and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )


class VoucherExhausted(OutOfFunds):
    def __init__(self, *, account: str, required: int, available: int) -> None:
        super().__init__(
            f"the voucher has room for {available} nanocredits more and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )


class LimitReached(OutOfFunds):
    """A limit that the holder set. ``period`` and ``resets_at`` (ISO 8601, UTC) say when it begins anew."""

    def __init__(
        self, *, account: str, required: int, available: int, limit: str, period: str = "", resets_at: str = ""
    ) -> None:
        of = f" of the {period}, which ends at {resets_at}," if period else ""
        super().__init__(
            f"the limit {limit}{of} has room for {available} nanocredits more and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )
        self.limit = limit
        self.period = period
        self.resets_at = resets_at


class Conflict(MinteryError):
    """It was done before."""


class VoucherAlreadyUsed(Conflict):
    """A raised voucher admits one request."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"this raised voucher was used by request {request_id}")
        self.request_id = request_id


class IdempotencyConflict(Conflict):
    """The idempotency key was used with another body."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"this Idempotency-Key belongs to request {request_id}, which had another body")
        self.request_id = request_id


class AnswerGone(Conflict):
    """The idempotency key's answer is no longer kept; the receipt is."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was answered and charged; its answer is no longer kept, its receipt is")
        self.request_id = request_id


class RequestUnderWay(Conflict):
    """The attempt to be joined runs in another gateway process, and this one stops before it has ended."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} is under way; read its receipt before you send it again")
        self.request_id = request_id


class RequestUnresolved(Conflict):
    """The process that answered the attempt is gone. Without evidence of its end it is charged to nobody."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request {request_id} was sent and its end is not known here; its receipt will say what became of it, "
            "and it costs nothing unless that says so"
        )
        self.request_id = request_id


class AttemptFailed(Conflict):
    """The attempt of this idempotency key failed and cost nothing."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} failed and cost nothing; send it again under a new Idempotency-Key")
        self.request_id = request_id


class JobNotDone(Conflict):
    """What a job makes is there once it is completed. ``status`` is the job's."""

    def __init__(self, request_id: str, status: str) -> None:
        super().__init__(f"job {request_id} is {status}; what it makes can be fetched once it is completed")
        self.request_id = request_id
        self.status = status


class MonthAboveAgreed(Conflict):
    """A month costs more than was agreed to: nothing is charged. Nanocredits."""

    def __init__(self, membership: str, *, actual: int, limit: int) -> None:
        super().__init__(f"a month of {membership} costs {actual} nanocredits now; {limit} was agreed to at most")
        self.membership = membership
        self.actual = actual
        self.limit = limit


class WriteOffRefused(Conflict):
    def __init__(self, request_id: str, why: str) -> None:
        super().__init__(f"receipt {request_id} is not written off: {why}")
        self.request_id = request_id
        self.why = why


class OrderTransitionRefused(Conflict):
    """An order's facts do not allow it. ``status`` is the order's now."""

    def __init__(self, order_id: str, status: str, why: str) -> None:
        super().__init__(f"order {order_id} is {status}: {why}")
        self.order_id = order_id
        self.status = status
        self.why = why


class MoveRefused(Conflict):
    """What the holder asked for or signed does not fit what the chain says. Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing was moved: {why}")
        self.why = why


class ChannelChangedMeanwhile(Conflict):
    hint = "Look at it again (`mintery channel list`), and repeat the change if it is still wanted."

    def __init__(self, name: str, setting: str) -> None:
        super().__init__(f"{setting} of {name} was changed by somebody else at the same time; nothing was written")
        self.name = name
        self.setting = setting


class NotFound(MinteryError):
    """There is no such thing."""


class UnknownModel(NotFound):
    def __init__(self, model: str) -> None:
        super().__init__(f"no model {model[:120]!r} here; GET /v1/models lists them")
        self.model = model[:120]


class ModelNotCovered(NotFound):
    """The model is here, but the terms of this project's credits do not pay for it."""

    def __init__(self, model: str, token: str, why: str) -> None:
        super().__init__(f"credits of {token} do not pay for {model}: {why}")
        self.model = model
        self.token = token
        self.why = why


class RouteExcluded(NotFound):
    """The request's own preferences leave a route out."""

    def __init__(self, route: str, why: str) -> None:
        super().__init__(f"{route} is left out: {why}")
        self.route = route
        self.why = why


class RouteTooDear(NotFound):
    """Above a limit that the request set. ``actual`` is 1e-18 USD for one ``unit``, ``markup`` basis points on top of it;
    ``limit`` is USD, on what ``of`` says.
    """

    def __init__(self, route: str, unit: str, *, actual: int, markup: int, limit: str, of: str) -> None:
        on_top = f" and {markup} basis points of markup" if markup else ""
        super().__init__(
            f"{route} is too dear: its {unit} costs {actual} (1e-18 USD){on_top}; provider.max_price.{of} is {limit} USD"
        )
        self.route = route
        self.unit = unit
        self.actual = actual
        self.markup = markup
        self.limit = limit


class NoRoute(NotFound):
    """Of the routes that go by the name, none may answer, and waiting does not help. ``rejected`` gives each with its reason."""

    def __init__(self, asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> None:
        super().__init__(_no_route(asked, rejected))
        self.asked = asked
        self.rejected = tuple(rejected)

    @property
    def reasons(self) -> dict[str, str]:
        return {route: str(reason) for route, reason in self.rejected}


class UnknownMembership(NotFound):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        sold = f"there are {', '.join(known)}" if known else "none are sold here"
        super().__init__(f"no membership {name[:80]!r}; {sold}")
        self.membership = name[:80]


class MembershipNotSold(NotFound):
    """``period`` is ``request`` or ``month``; ``kind`` is the credits'."""

    def __init__(self, membership: str, period: str, kind: str) -> None:
        super().__init__(f"{membership} is not sold by the {period} for {kind} credits")
        self.membership = membership
        self.period = period


class MembershipNeeded(NotFound):
    """The model is kept for members. ``sold_by`` says how one becomes one: by the month, for a request, or not at all."""

    def __init__(self, model: str, membership: str, sold_by: Sequence[str]) -> None:
        how = {
            "month": f"`POST /v1/memberships` buys {membership} by the month",
            "request": f"the header `Mintery-Membership: {membership}` for one request",
        }
        ways = "; ".join(how[each] for each in sold_by) or f"{membership} is not sold for these credits"
        super().__init__(f"{model} is kept for {membership}: {ways}")
        self.model = model
        self.membership = membership
        self.sold_by = list(sold_by)


class MembershipEnded(NotFound):
    """The account has none of this name that stands."""

    def __init__(self, membership: str) -> None:
        super().__init__(f"no membership {membership[:80]!r} stands for this account")
        self.membership = membership[:80]


class UnknownRequest(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no request {request_id[:80]!r} is known to this key")
        self.request_id = request_id


class UnknownJob(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no job {request_id[:80]!r} is known to this key")
        self.request_id = request_id


class NothingToFetch(NotFound):
    """A completed job whose provider hands nothing over, or no longer."""

    def __init__(self, request_id: str, why: str) -> None:
        super().__init__(f"job {request_id}: {why}")
        self.request_id = request_id
        self.why = why


class UnknownGatewayKey(NotFound):
    """No open key of this holder has the id."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no open key {key[:60]} of yours")
        self.key = key


class UnknownLimit(NotFound):
    def __init__(self, limit: str) -> None:
        super().__init__(f"there is no limit {limit[:60]} of yours")
        self.limit = limit


class UnknownAuthority(NotFound):
    def __init__(self, authority: str) -> None:
        super().__init__(f"there is nothing {authority[:80]} of yours to revoke")
        self.authority = authority


class UnknownOrder(NotFound):
    def __init__(self, order_id: str) -> None:
        super().__init__(f"no order {order_id[:80]!r}")
        self.order_id = order_id


class UnknownReceipt(NotFound):
    def __init__(self, request_id: str) -> None:
        super().__init__(f"no receipt {request_id[:80]!r}")
        self.request_id = request_id


class UnknownSku(NotFound):
    def __init__(self, sku: str) -> None:
        super().__init__(f"the oracle knows no SKU {sku!r}")
        self.sku = sku


class UnknownProvider(NotFound):
    def __init__(self, provider: str) -> None:
        super().__init__(f"the registry knows no provider {provider!r}")
        self.provider = provider


class UnknownHalt(NotFound):
    hint = "`mintery ledger halts` lists those that stand."

    def __init__(self, halt: int) -> None:
        super().__init__(f"no halt {halt} stands")
        self.halt = halt


class UnknownChannel(NotFound):
    hint = "`mintery channel list` lists channels and providers."

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no channel or provider {name[:120]!r} here")
        self.name = name[:120]


class FileMissing(NotFound):
    def __init__(self, path: str) -> None:
        super().__init__(f"there is no file {path}")
        self.path = path


class UnknownProject(NotFound):
    """``opened`` lists the projects there are, as symbol and token; ``wanted`` is None when none was named."""

    def __init__(self, wanted: str | None, opened: Sequence[str]) -> None:
        listed = ", ".join(opened) or "none"
        if wanted is None:
            why = "which project?" if opened else "no project was opened here"
        else:
            fits = sum(wanted.lower() in project.lower().split() for project in opened)
            why = f"{fits} projects are called {wanted!r}" if fits else f"no project {wanted!r} here"
        super().__init__(f"{why}; open here: {listed}" if opened else why)
        self.wanted = wanted
        self.opened = tuple(opened)
        self.hint = "Name one by its address with --token." if opened else "`mintery project open` opens one."


class NotAvailable(MinteryError):
    """Right, but not now. ``retry_after`` is seconds, or None when waiting does not help."""

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RelayMissing(NotAvailable):
    def __init__(self) -> None:
        super().__init__("this gateway sends nothing on chain for its holders: it has no relayer key")


class ModelUnpriced(NotAvailable):
    def __init__(self, model: str, sku: str) -> None:
        super().__init__(f"{model} cannot be sold: no price in force for {sku}")
        self.model = model
        self.sku = sku


class SkuUnroutable(NotAvailable):
    """The price sources contradict each other, or say what can be no price."""

    def __init__(self, sku: str, why: str, *, retry_after: int) -> None:
        super().__init__(f"{sku} is not for sale: {why}")
        self.sku = sku
        self.why = why
        self.retry_after = retry_after


class PriceStale(NotAvailable):
    def __init__(self, sku: str, *, age: int, limit: int, retry_after: int) -> None:
        super().__init__(
            f"the price of {sku} was last seen {age} s ago; the limit is {limit} s", retry_after=retry_after
        )
        self.sku = sku
        self.age = age
        self.limit = limit


class PriceQueued(NotAvailable):
    def __init__(self, sku: str, *, retry_after: int) -> None:
        super().__init__(f"a new price of {sku} waits for confirmation", retry_after=retry_after)
        self.sku = sku


class HoldAboveStaleLimit(NotAvailable):
    """Prices are soft-stale, and only small holds are taken. Amounts are 1e-18 USD."""

    def __init__(self, sku: str, *, required: int, limit: int, retry_after: int) -> None:
        super().__init__(
            f"the price of {sku} is stale; holds up to {limit} (1e-18 USD) are taken, not {required}",
            retry_after=retry_after,
        )
        self.sku = sku
        self.required = required
        self.limit = limit


class MarketUnread(NotAvailable):
    """The chain could not be read for longer than the gateway may sell by an old reading. Seconds."""

    def __init__(self, age: int, limit: int) -> None:
        super().__init__(f"the chain was last read {age} s ago; the limit is {limit} s", retry_after=5)
        self.age = age
        self.limit = limit


class LedgerBehind(NotAvailable):
    """The ledger has not followed the chain for longer than the gateway may sell by its balances. Seconds."""

    def __init__(self, age: int, limit: int) -> None:
        super().__init__(f"the ledger has been behind the chain for {age} s; the limit is {limit} s", retry_after=30)
        self.age = age
        self.limit = limit


class NoRouteNow(NotAvailable):
    """Of the routes that go by the name, none can answer now, and some may later."""

    def __init__(self, asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> None:
        waits = [wait for _, reason in rejected if (wait := getattr(reason, "retry_after", None)) is not None]
        super().__init__(_no_route(asked, rejected), retry_after=min(waits, default=None))
        self.asked = asked
        self.rejected = tuple(rejected)

    @property
    def reasons(self) -> dict[str, str]:
        return {route: str(reason) for route, reason in self.rejected}


class RouteBroken(NotAvailable):
    """It failed too often in a row, and is left alone for a while."""

    def __init__(self, route: str, failures: int, *, retry_after: int) -> None:
        super().__init__(
            f"{route} failed {failures} times in a row and is tried again in {retry_after} s", retry_after=retry_after
        )
        self.route = route
        self.failures = failures


class RouteOnTrial(NotAvailable):
    """It had failed, and another request is finding out whether it answers again."""

    def __init__(self, route: str) -> None:
        super().__init__(f"{route} had failed, and another request is trying it", retry_after=1)
        self.route = route


class ResaleForbidden(NotAvailable):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} does not let its models be sold on")
        self.provider = provider


class ChannelDisabled(NotAvailable):
    def __init__(self, channel: str) -> None:
        super().__init__(f"{channel} is switched off by the gateway's operator")
        self.channel = channel


class AssetDepegged(NotAvailable):
    def __init__(self) -> None:
        super().__init__("the reserve asset does not hold its par; open requests finish, new ones wait")


class ReserveShort(NotAvailable):
    def __init__(self, assets: int, claims: int) -> None:
        super().__init__(f"the vault holds {assets} asset units against claims of {claims}")
        self.assets = assets
        self.claims = claims


class Draining(NotAvailable):
    def __init__(self, why: str) -> None:
        super().__init__(f"no new requests: {why}", retry_after=30)


class PayoutCapReached(NotAvailable):
    """What this gateway may pay out of the project in this window is committed. Amounts are nanocredits."""

    def __init__(self, token: str, *, required: int, available: int, retry_after: int) -> None:
        super().__init__(
            f"this window's payouts of {token} have room for {available} nanocredits, not {required}",
            retry_after=retry_after,
        )
        self.token = token
        self.required = required
        self.available = available


class Overloaded(NotAvailable):
    def __init__(self) -> None:
        super().__init__("too many requests are waiting", retry_after=1)


class StatementsBusy(NotAvailable):
    """As many statements are being written as may be at once, in all or for this holder."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} statements are being written already", retry_after=5)
        self.limit = limit


class StatementTooSlow(NotAvailable):
    """Its reader took too long; what was written of it is not whole."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the statement was not read within {seconds} s", retry_after=60)
        self.seconds = seconds


class AccountBusy(NotAvailable):
    """One account has as many requests in flight as it may, so that others have room."""

    def __init__(self, account: str, limit: int) -> None:
        super().__init__(f"this account has {limit} requests in flight, as many as it may", retry_after=1)
        self.account = account
        self.limit = limit


class TooManyTries(NotAvailable):
    """One client tries what could be guessed more often than a person would."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many tries; wait a moment", retry_after=retry_after)


class RateLimited(NotAvailable):
    """The account asks more of this minute than it may: ``by`` is ``requests`` or ``tokens``, ``limit`` a minute of them.

    ``retry_after`` in seconds. ``left`` of requests and of tokens: limit, what remains, and microseconds until all of it does.
    """

    def __init__(
        self, by: str, limit: int, *, retry_after: int, left: Sequence[tuple[int, int, int] | None] = ()
    ) -> None:
        super().__init__(
            f"this account may ask for {limit} {by} a minute; a membership allows more (GET /v1/memberships)",
            retry_after=retry_after,
        )
        self.by = by
        self.limit = limit
        self.left = tuple(left)


class RateAboveLimit(NotAvailable):
    """One request counts as more than a whole minute may bring: waiting does not help."""

    def __init__(self, by: str, *, actual: int, limit: int, left: Sequence[tuple[int, int, int] | None] = ()) -> None:
        super().__init__(f"this request counts as {actual} {by}, and this account may ask for {limit} a minute")
        self.by = by
        self.actual = actual
        self.limit = limit
        self.left = tuple(left)


class ClientGone(NotAvailable):
    """It left while its request waited for room. Nobody reads this."""

    def __init__(self) -> None:
        super().__init__("the client left before its turn")


class HoldTooLong(NotAvailable):
    """No hold outlives the exit delay less one settlement interval. Seconds."""

    def __init__(self, actual: int, limit: int) -> None:
        super().__init__(f"a hold of {actual} s is longer than the {limit} s that an exit leaves")
        self.actual = actual
        self.limit = limit


class ProviderFailed(MinteryError):
    """The model provider did not do its part. ``charged`` says whether the request ended with a charge."""

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider


class ProviderUnreachable(ProviderFailed):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} cannot be reached; nothing was charged", provider=provider)


class ProviderTimedOut(ProviderFailed):
    def __init__(self, provider: str, seconds: int) -> None:
        super().__init__(f"{provider} gave no answer within {seconds} s", provider=provider)
        self.seconds = seconds


class ProviderRefused(ProviderFailed):
    """The provider answered with an error status. ``body`` is its answer, at most 64 KiB."""

    def __init__(self, provider: str, status: int, body: bytes, retry_after: str | None = None) -> None:
        super().__init__(f"{provider} answered {status}; nothing was charged", provider=provider)
        self.status = status
        self.body = body
        self.retry_after = retry_after


class ProviderNonsense(ProviderFailed):
    def __init__(self, provider: str, why: str) -> None:
        super().__init__(f"{provider} answered with something else than its format: {why}", provider=provider)
        self.why = why


class NotInItsFormat(ProviderFailed):
    """The request could not be written for the provider, which was not called."""

    def __init__(self, provider: str, why: str) -> None:
        super().__init__(f"the request cannot be told to {provider} ({why}); nothing was charged", provider=provider)
        self.why = why


class AnswerTooLong(ProviderFailed):
    """The provider did what it was asked, and its answer is longer than we carry. It is charged; the receipt says how."""

    hint = "Ask for fewer choices, pictures or logprobs at once."

    def __init__(self, provider: str, limit: int) -> None:
        super().__init__(
            f"the answer of {provider} has more than {limit} bytes in one piece; the work is charged", provider=provider
        )
        self.limit = limit


class StreamBroke(ProviderFailed):
    """A stream ended early. What was delivered of it is charged; the receipt says how much."""

    def __init__(self, provider: str, request_id: str, why: str) -> None:
        super().__init__(
            f"the stream of {provider} broke: {why}; receipt {request_id} shows what it cost", provider=provider
        )
        self.request_id = request_id
        self.why = why


class RailError(MinteryError):
    """What brings money in or takes it back did not do as it was asked. ``rail`` names it."""

    def __init__(self, rail: str, why: str) -> None:
        super().__init__(f"{rail}: {why}")
        self.rail = rail
        self.why = why


class RailUnavailable(RailError):
    """It gave no answer; what was asked may have been done, and is asked again under the same name."""


class RailRefused(RailError):
    """It says no."""


class RailNonsense(RailError):
    """Its answer is not of the form that it documents, or contradicts what was asked."""


class RailNotOffered(RailError):
    """This gateway takes no money by it."""


class FetchFailed(MinteryError):
    """A page that is read over HTTP did not come as it must. ``host`` is all of its address that is repeated."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host}: {why}")
        self.host = host
        self.why = why


class AnswerLost(MinteryError):
    """A fault of this gateway. Where a hold was placed, it is returned or, with evidence, charged."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was lost by a fault of this gateway; its receipt shows what it cost")
        self.request_id = request_id


class GatewayError(MinteryError):
    """A gateway, as an app meets it."""


class GatewayUnreachable(GatewayError):
    hint = "Is it running? `mintery up` starts one; --url names another."

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"no gateway answers at {url}: {why}")
        self.url = url
        self.why = why


class GatewayRefused(GatewayError):
    """The gateway's own words; ``status`` is its answer's, ``code`` its name for the reason, or empty."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class LedgerError(MinteryError):
    """The ledger refused or cannot go on."""


class HoldNotOpen(LedgerError):
    def __init__(self, hold: str, status: str) -> None:
        super().__init__(f"hold {hold} is {status}")
        self.hold = hold
        self.status = status


class CaptureExceedsHold(LedgerError):
    """Amounts are nanocredits."""

    def __init__(self, hold: str, *, cost: int, held: int) -> None:
        super().__init__(f"hold {hold} has {held} nanocredits; the cost is {cost}")
        self.hold = hold
        self.cost = cost
        self.held = held


class LedgerClosed(LedgerError):
    def __init__(self) -> None:
        super().__init__("the ledger is closed")


class LedgerUnavailable(LedgerError):
    """The database cannot be used now: locked, full, or out of reach. It may be again.

    What was to be written was not, or, where the connection was lost in the middle of it, nobody knows: to ask for it
    again with the same ids is safe.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"the ledger cannot be used now: {why}")
        self.why = why


class LedgerRefused(LedgerError):
    """The database refused what it was asked for, as by a rule of its tables. Nothing of it was written."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the ledger's database refused: {why}")
        self.why = why


class LeadershipLost(LedgerError):
    """Another process may lead this job by now; what was not written yet must not be."""

    def __init__(self, job: str) -> None:
        super().__init__(f"this process does not lead the job {job}")
        self.job = job


class LedgerInconsistent(LedgerError):
    """An account of the ledger contradicts its transfers or the chain. Never plugged."""


class ChainError(MinteryError):
    """The chain or its rpc."""


class RpcUnavailable(ChainError):
    hint = "Is it running? `mintery devchain` starts one; --rpc names another."

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the rpc at {url} does not answer: {why}")
        self.url = url
        self.why = why


class RpcRefused(ChainError):
    """The rpc answered with an error. ``payload`` is the JSON-RPC error's own ``data``."""

    def __init__(self, method: str, code: int, message: str, payload: object = None) -> None:
        super().__init__(f"the rpc refused {method}: {message}")
        self.method = method
        self.code = code
        self.message = message
        self.payload = payload


class RpcsDisagree(ChainError):
    """Endpoints of one chain answer the same read differently, and no quorum is on one side: none is believed."""

    hint = "Ask each by itself with --rpc; a node that is still syncing, or of another chain, must leave the list."

    def __init__(self, read: str, urls: Sequence[str], quorum: int) -> None:
        super().__init__(f"{' and '.join(urls)} disagree about {read}; {quorum} must agree, and no other may object")
        self.read = read
        self.urls = tuple(urls)
        self.quorum = quorum


class TransactionReverted(ChainError):
    """``error`` is the contract's error name, ``arguments`` its named values."""

    def __init__(self, action: str, error: str, arguments: Mapping[str, object]) -> None:
        listed = ", ".join(f"{name}={value}" for name, value in arguments.items())
        super().__init__(f"{action} was refused by the contract: {error}({listed})")
        self.action = action
        self.error = error
        self.arguments = dict(arguments)


class TransactionMissing(ChainError):
    def __init__(self, tx_hash: str, seconds: int) -> None:
        super().__init__(f"transaction {tx_hash} is not in a block after {seconds} s")
        self.tx_hash = tx_hash


class TransactionReplaced(ChainError):
    """Its nonce went to another transaction of the same key, so it never happens."""

    def __init__(self, tx_hash: str, nonce: int) -> None:
        super().__init__(f"transaction {tx_hash} never happens: nonce {nonce} went to another one")
        self.tx_hash = tx_hash
        self.nonce = nonce


class BlockReplaced(ChainError):
    """The chain no longer has a block that was read before."""

    def __init__(self, number: int, *, recorded: str, connected: str) -> None:
        super().__init__(f"block {number} was {recorded} when it was recorded; the rpc now says {connected}")
        self.number = number
        self.recorded = recorded
        self.connected = connected


class FinalBlockReplaced(BlockReplaced):
    """It was recorded as final. Nothing is undone, nothing more is read, and nothing pays until a person has looked."""

    hint = (
        "Look at the block with another endpoint first: if this one is on a wrong fork, name another (--rpc) and all goes "
        "on. If the chain did drop a final block, stop the gateway, restore the ledger from before that block, and start "
        "again: what was charged since is lost, and `mintery reconcile` must agree before anything is settled."
    )


class SettlementHalted(ChainError):
    """An alarm stands that no settlement may pass. ``halt`` is its number in the ledger, where it stands for all."""

    def __init__(self, alarm: str, why: str, *, halt: int | None = None) -> None:
        super().__init__(f"settlement is halted by the alarm {alarm}: {why}")
        self.alarm = alarm
        self.why = why
        self.halt = halt
        if halt is not None:
            self.hint = f"Find out why. `mintery reconcile` compares again; `mintery ledger clear-halt {halt}` ends it."


class QuorumMissing(ChainError):
    hint = "A reporter that runs by itself exchanges reports with the others: `mintery reporter`."

    def __init__(self, reporters: int, quorum: int) -> None:
        super().__init__(f"{reporters} reporters saw a price; the oracle needs {quorum}")
        self.reporters = reporters
        self.quorum = quorum


class NotReporter(ChainError):
    """The oracle does not count this key's reports."""

    hint = "Its admin names reporters; `mintery roles show` lists them."

    def __init__(self, reporter: str) -> None:
        super().__init__(f"{reporter} is no reporter of this oracle")
        self.reporter = reporter


class OutcomeMismatch(ChainError):
    """The chain says another thing of a batch than this ledger."""

    def __init__(self, batch_id: int, why: str) -> None:
        super().__init__(f"batch {batch_id} on chain is not the one recorded here: {why}")
        self.batch_id = batch_id


class CheckFailed(MinteryError):
    """Something was checked and is not as it claims."""


class TokenListRefused(CheckFailed):
    """The list is not what was signed, or not by whom it should be."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the token list is not to be trusted: {why}")
        self.why = why


class ReceiptRefused(CheckFailed):
    def __init__(self, why: str) -> None:
        super().__init__(f"the receipt does not hold: {why}")
        self.why = why


class ReconciliationFailed(CheckFailed):
    """``differences`` are lines of (what, chain, ledger): all of them, of which the message names the first."""

    _NAMED = 5

    def __init__(self, differences: Sequence[tuple[str, int, int]]) -> None:
        named = differences[: self._NAMED]
        listed = "; ".join(f"{what}: chain {chain}, ledger {ledger}" for what, chain, ledger in named)
        more = f"; and {len(differences) - len(named)} more" if len(differences) > len(named) else ""
        super().__init__(f"chain and ledger differ: {listed}{more}")
        self.differences = tuple(differences)


_REASONS_SHOWN = 3


def _no_route(asked: str, rejected: Sequence[tuple[str, MinteryError]]) -> str:
    listed = "; ".join(str(reason) for _, reason in rejected[:_REASONS_SHOWN])
    more = f"; and {len(rejected) - _REASONS_SHOWN} more" if len(rejected) > _REASONS_SHOWN else ""
    return f"no route for {asked[:120]!r}: {listed or 'nothing goes by that name'}{more}"
