"""One spelling for every word that people, brokers and the books share.

Each vocabulary is an enum of the words we keep; `parse` takes what the world says instead. Parsing
is total: a word that nobody knows is refused by name, and never becomes a default.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from bahi.kernel.errors import Invalid


class Side(StrEnum):
    """Which way an order or a trade goes."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How an order meets the market."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_MARKET = "STOP_LOSS_MARKET"


class Product(StrEnum):
    """How long a position is meant to be held, and on whose money."""

    CNC = "CNC"
    INTRADAY = "INTRADAY"
    MARGIN = "MARGIN"
    MTF = "MTF"
    CO = "CO"
    BO = "BO"


class Validity(StrEnum):
    """How long an order waits for its fill."""

    DAY = "DAY"
    IOC = "IOC"


class OrderStatus(StrEnum):
    """Where an order is in its life; quantities are told apart from it."""

    PENDING = "PENDING"
    TRANSIT = "TRANSIT"
    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    PARTIAL = "PARTIAL"
    EXECUTED = "EXECUTED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class EventType(StrEnum):
    """What happened to an order."""

    PLACED = "PLACED"
    TRANSIT = "TRANSIT"
    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    TRIGGERED = "TRIGGERED"
    MODIFIED = "MODIFIED"
    PARTIAL = "PARTIAL"
    EXECUTED = "EXECUTED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class EventSource(StrEnum):
    """Who told us."""

    REST_API = "REST_API"
    WEBSOCKET = "WEBSOCKET"
    POSTBACK = "POSTBACK"
    SYSTEM = "SYSTEM"


class LegType(StrEnum):
    """Which part of a bracket an order plays."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    SL = "SL"


class AmoTime(StrEnum):
    """When an after-market order is released."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    OPEN_30 = "OPEN_30"
    OPEN_60 = "OPEN_60"


class ForeverStatus(StrEnum):
    """Where a forever (GTT) order is in its life."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    TRIGGERED = "TRIGGERED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class ForeverKind(StrEnum):
    """One trigger, or two of which the first one cancels the other."""

    SINGLE = "SINGLE"
    OCO = "OCO"


class TriggerType(StrEnum):
    """Where the last price must go for a forever order to fire."""

    LTP_ABOVE = "LTP_ABOVE"
    LTP_BELOW = "LTP_BELOW"
    LTP_RANGE = "LTP_RANGE"


class PositionType(StrEnum):
    """Today's part of a position, or all of it."""

    DAY = "DAY"
    NET = "NET"


class Segment(StrEnum):
    """An exchange and the part of it where an instrument is listed."""

    NSE_EQ = "NSE_EQ"
    NSE_FNO = "NSE_FNO"
    NSE_CURRENCY = "NSE_CURRENCY"
    BSE_EQ = "BSE_EQ"
    BSE_FNO = "BSE_FNO"
    BSE_CURRENCY = "BSE_CURRENCY"
    MCX_COMM = "MCX_COMM"
    NSE_INDEX = "NSE_INDEX"
    BSE_INDEX = "BSE_INDEX"
    MCX_INDEX = "MCX_INDEX"


class OptionType(StrEnum):
    """The right to buy, or the right to sell."""

    CE = "CE"
    PE = "PE"


class InstrumentType(StrEnum):
    """What kind of thing an instrument is, as the exchanges abbreviate it."""

    EQUITY = "EQUITY"  # whatever the cash segment trades: shares, funds, trusts, bonds
    INDEX = "INDEX"
    FUTIDX = "FUTIDX"
    FUTSTK = "FUTSTK"
    FUTCUR = "FUTCUR"
    FUTIRC = "FUTIRC"
    FUTCOM = "FUTCOM"
    OPTIDX = "OPTIDX"
    OPTSTK = "OPTSTK"
    OPTCUR = "OPTCUR"
    OPTIRC = "OPTIRC"
    OPTFUT = "OPTFUT"  # on a commodity's future


class BrokerSlug(StrEnum):
    """A broker by the name of its folder."""

    KITE = "kite"
    UPSTOX = "upstox"
    DHAN = "dhan"
    BREEZE = "breeze"
    ANGEL = "angel"
    OPENALGO = "openalgo"
    PAPER = "paper"


class AccountMode(StrEnum):
    """Whether an account's orders reach a market."""

    LIVE = "live"
    PAPER = "paper"


class CopyRole(StrEnum):
    """Which side of copying an account is on."""

    LEADER = "leader"
    FOLLOWER = "follower"


class CopyStatus(StrEnum):
    """What became of one copy of a leader's order."""

    PENDING = "pending"
    PLACED = "placed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What a person may do here."""

    ADMIN = "admin"
    TRADER = "trader"
    VIEWER = "viewer"


class KeyScope(StrEnum):
    """How far an API key opens; each word includes those before it."""

    READ = "read"
    PAPER = "paper"
    TRADE = "trade"


class ConnectionStatus(StrEnum):
    """Whether a stream or an account is connected."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    ERROR = "ERROR"


class TokenRunStatus(StrEnum):
    """How far a run of token generation is."""

    RUNNING = "RUNNING"
    COOLDOWN = "COOLDOWN"
    RESUMING = "RESUMING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    INCOMPLETE = "INCOMPLETE"
    STOPPED = "STOPPED"


class TokenMode(StrEnum):
    """Which tokens a run makes."""

    ALL = "ALL"
    INVALID_ONLY = "INVALID_ONLY"
    PARTIAL = "PARTIAL"


class TokenState(StrEnum):
    """Whether a token can be used."""

    VALID = "VALID"
    INVALID = "INVALID"
    EXPIRED = "EXPIRED"
    MISSING = "MISSING"


class LoginFailure(StrEnum):
    """Why a broker gave no token."""

    NETWORK_TIMEOUT = "NETWORK_TIMEOUT"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    CAPTCHA = "CAPTCHA"
    RATE_LIMIT = "RATE_LIMIT"
    SELENIUM_DOM_CHANGE = "SELENIUM_DOM_CHANGE"
    BROWSER_CRASH = "BROWSER_CRASH"
    TOKEN_EXCHANGE_FAILED = "TOKEN_EXCHANGE_FAILED"  # noqa: S105 - a word, no secret
    PROFILE_VERIFICATION_FAILED = "PROFILE_VERIFICATION_FAILED"
    CONSENT_FAILED = "CONSENT_FAILED"
    UNKNOWN = "UNKNOWN"


class JobStatus(StrEnum):
    """How far a job is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class DeploymentStatus(StrEnum):
    """Whether a strategy runs on an account."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PAUSED = "paused"


class LogLevel(StrEnum):
    """How loud a log record is."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Health(StrEnum):
    """How a component is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


ACTIVE_ORDER: Final = (
    OrderStatus.PENDING,
    OrderStatus.TRANSIT,
    OrderStatus.UNKNOWN,
    OrderStatus.OPEN,
    OrderStatus.PARTIAL,
)
"""An order that may still fill."""

ACTIVE_FOREVER: Final = (ForeverStatus.PENDING, ForeverStatus.ACTIVE)
"""A forever order that may still fire."""

EQUITY: Final = (Segment.NSE_EQ, Segment.BSE_EQ)
INDEX: Final = (Segment.NSE_INDEX, Segment.BSE_INDEX, Segment.MCX_INDEX)

ALIASES: Final[dict[type[StrEnum], dict[str, StrEnum]]] = {
    OrderType: {
        "SL": OrderType.STOP_LOSS,
        "SL-M": OrderType.STOP_LOSS_MARKET,
        "SL_M": OrderType.STOP_LOSS_MARKET,
        "SLM": OrderType.STOP_LOSS_MARKET,
    },
    Product: {"MIS": Product.INTRADAY, "I": Product.INTRADAY, "NRML": Product.MARGIN},
    OrderStatus: {"PART_TRADED": OrderStatus.PARTIAL, "COMPLETE": OrderStatus.EXECUTED},
    Segment: {
        "NSE": Segment.NSE_EQ,
        "NFO": Segment.NSE_FNO,
        "CDS": Segment.NSE_CURRENCY,
        "CDS_FUT": Segment.NSE_CURRENCY,
        "BSE": Segment.BSE_EQ,
        "BFO": Segment.BSE_FNO,
        "BCD": Segment.BSE_CURRENCY,
        "MCX": Segment.MCX_COMM,
    },
    OptionType: {"CALL": OptionType.CE, "PUT": OptionType.PE},
    BrokerSlug: {
        "ZERODHA": BrokerSlug.KITE,
        "ICICI": BrokerSlug.BREEZE,
        "ICICI DIRECT": BrokerSlug.BREEZE,
        "ICICIDIRECT": BrokerSlug.BREEZE,
    },
    AccountMode: {"SANDBOX": AccountMode.PAPER},
    Role: {"USER": Role.TRADER},
}
"""Other people's spellings, in upper case, of the words that we keep."""

Word = TypeVar("Word", bound=StrEnum)


def parse(vocabulary: type[Word], said: str, *, field: str = "") -> Word:
    """Return the word that was meant, whatever its case; refuse one that nobody knows."""
    asked = said.strip().upper()
    for known in vocabulary:
        if known.upper() == asked:
            return known
    meant = ALIASES.get(vocabulary, {}).get(asked)
    if isinstance(meant, vocabulary):
        return meant
    raise Invalid(_unknown(vocabulary, said, field))


def parse_product(said: str, segment: Segment, *, field: str = "product") -> Product:
    """Return the product that was meant; `D` (delivery) is read by the segment it is said of."""
    if said.strip().upper() == "D":
        return Product.CNC if segment in EQUITY else Product.MARGIN
    return parse(Product, said, field=field)


def _unknown(vocabulary: type[StrEnum], said: str, field: str) -> str:
    named = field or vocabulary.__name__
    return f"{named}: {said!r} is not known here; it is one of {', '.join(vocabulary)}."
