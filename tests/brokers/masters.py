"""Instrument files: the real ones, and small ones made up line by line."""

from __future__ import annotations

import gc
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bahi.brokers import masters
from bahi.kernel.listings import BadLine, Line, Listing, Skipped
from bahi.kernel.words import BrokerSlug

KITE_NFO = "zerodha/kite_NFO_2025-09.csv.gz"
KITE_NSE = "zerodha/kite_NSE_2025-08.csv.gz"
KITE_MOCK = "zerodha/kite_mock_all.csv.gz"
UPSTOX_JSON = "upstox/complete_2026-08.json.gz"
UPSTOX_CSV = "upstox/complete_2025-08.csv.gz"
DHAN = "dhan/api-scrip-master_2026-02.csv.gz"
DHAN_DETAILED = "dhan/api-scrip-master-detailed_NSE_E_2026-04.csv.gz"
BREEZE = "icici/SecurityMaster_2026-07-30.zip"
WHOSE = {
    KITE_NFO: BrokerSlug.KITE,
    KITE_NSE: BrokerSlug.KITE,
    KITE_MOCK: BrokerSlug.KITE,
    UPSTOX_JSON: BrokerSlug.UPSTOX,
    UPSTOX_CSV: BrokerSlug.UPSTOX,
    DHAN: BrokerSlug.DHAN,
    DHAN_DETAILED: BrokerSlug.DHAN,
    BREEZE: BrokerSlug.BREEZE,
}

KITE_HEAD = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
    "lot_size,instrument_type,segment,exchange"
)
KITE_LINES = (
    "738561,2885,RELIANCE,RELIANCE INDUSTRIES,0.0,,0.0,0.1,1,EQ,NSE,NSE",
    "256265,1001,NIFTY 50,NIFTY 50,0.0,,0.0,0.0,0,EQ,INDICES,NSE",
    "13568258,53001,NIFTY25SEPFUT,NIFTY,0.0,2025-09-30,0.0,0.1,75,FUT,NFO-FUT,NFO",
    "15484162,60485,NIFTY25SEP25150CE,NIFTY,0.0,2025-09-30,25150.0,0.05,75,CE,NFO-OPT,NFO",
)
UPSTOX_HEAD = (
    '"instrument_key","exchange_token","tradingsymbol","name","last_price","expiry","strike",'
    '"tick_size","lot_size","instrument_type","option_type","exchange"'
)
UPSTOX_LINES = (
    '"NSE_EQ|INE002A01018","2885","RELIANCE","RELIANCE","1400","","","0.1","1","EQUITY","","NSE_EQ"',
    (
        '"NCD_FO|1","1","USDINR25O2489.8CE","USDINR","0","2025-10-24","89.8","0.25","1","OPTCUR","CE",'
        '"NCD_FO"'
    ),
)
UPSTOX_ENTRIES: tuple[Mapping[str, Any], ...] = (
    {
        "segment": "NSE_EQ",
        "name": "RELIANCE INDUSTRIES LTD",
        "isin": "INE002A01018",
        "instrument_type": "EQ",
        "instrument_key": "NSE_EQ|INE002A01018",
        "lot_size": 1,
        "freeze_quantity": 100000.0,
        "exchange_token": "2885",
        "tick_size": 10.0,
        "trading_symbol": "RELIANCE",
        "cas_eligible": True,
    },
    {
        "segment": "NSE_FO",
        "name": "NIFTY",
        "expiry": 1798568999000,
        "instrument_type": "CE",
        "underlying_symbol": "NIFTY",
        "underlying_type": "INDEX",
        "instrument_key": "NSE_FO|71505",
        "lot_size": 65,
        "freeze_quantity": 1800.0,
        "exchange_token": "71505",
        "tick_size": 5.0,
        "trading_symbol": "NIFTY 27000 CE 29 DEC 26",
        "strike_price": 27000.0,
    },
)
DHAN_HEAD = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME"
)
DHAN_LINES = (
    "NSE,E,2885,EQUITY,0,RELIANCE,1.0,Reliance,,,,10.0000,NA,ES,EQ,RELIANCE INDUSTRIES LTD",
    (
        "NSE,D,59182,FUTIDX,0,NIFTY-Feb2026-FUT,65.0,NIFTY FEB FUT,2026-02-24 14:30:00,-0.01000,XX,"
        "10.0000,M,FUT,,"
    ),
    (
        "NSE,C,14966,OPTCUR,0,USDINR-Mar2026-82.25-CE,1.0,USDINR 27 MAR 82.25 CALL,"
        "2026-03-27 14:30:00,82.25000,CE,0.2500,M,CUR OP,,"
    ),
)
OPENALGO_ENTRIES: tuple[Mapping[str, Any], ...] = (
    {
        "symbol": "NIFTY25AUG2625000CE",
        "brsymbol": "NIFTY26AUG25000CE",
        "name": "NIFTY",
        "exchange": "NFO",
        "brexchange": "NFO",
        "token": "12345",
        "expiry": "25-AUG-26",
        "strike": 25000,
        "lotsize": 65,
        "instrumenttype": "CE",
        "tick_size": 0.05,
    },
)


class Read(NamedTuple):
    """What a file said."""

    listings: list[Listing]
    skipped: list[Skipped]
    bad: list[BadLine]


def read(broker: BrokerSlug, content: bytes) -> Read:
    """Read a file to its end."""
    return sorted_out(masters()[broker].listings(io.BytesIO(content)))


def sorted_out(lines: Iterable[Line]) -> Read:
    """Tell lines apart by what became of them."""
    told = Read([], [], [])
    for line in lines:
        if isinstance(line, Listing):
            told.listings.append(line)
        elif isinstance(line, Skipped):
            told.skipped.append(line)
        else:
            told.bad.append(line)
    return told


@cache
def real(shared_data: Path, name: str) -> Read:
    """Read a real file, once for all tests of a process."""
    gc.disable()  # half a million tuples, all of them kept: a search for rings doubles the time
    try:
        with (shared_data / "instruments" / name).open("rb") as file:
            return sorted_out(masters()[WHOSE[name]].listings(file))
    finally:
        gc.enable()


def one(broker: BrokerSlug, content: bytes) -> Listing:
    """Read a file that holds one listing and nothing else."""
    told = read(broker, content)
    assert (len(told.listings), told.skipped, told.bad) == (1, [], [])
    return told.listings[0]


def csv_file(head: str, *lines: str) -> bytes:
    """Make a CSV file."""
    return "".join(f"{line}\n" for line in (head, *lines)).encode()


def kite(*lines: str) -> bytes:
    """Make a file of Kite's."""
    return csv_file(KITE_HEAD, *(lines or KITE_LINES))


def upstox(*entries: Mapping[str, Any]) -> bytes:
    """Make a JSON file of Upstox's."""
    return json.dumps(entries or UPSTOX_ENTRIES, separators=(",", ":")).encode()


def upstox_csv(*lines: str) -> bytes:
    """Make an old CSV file of Upstox's."""
    return csv_file(UPSTOX_HEAD, *(lines or UPSTOX_LINES))


def dhan(*lines: str) -> bytes:
    """Make a compact file of Dhan's, which has no end behind its last line."""
    return csv_file(DHAN_HEAD, *(lines or DHAN_LINES)).removesuffix(b"\n")


def openalgo(*entries: Mapping[str, Any], status: str = "success") -> bytes:
    """Make an OpenAlgo host's answer."""
    return json.dumps(
        {"data": entries or OPENALGO_ENTRIES, "message": "Found", "status": status}
    ).encode()


BREEZE_CONTRACTS = (
    '"Token","InstrumentName","ShortName","Series","ExpiryDate","StrikePrice","OptionType",'
    '"LotSize","TickSize","CompanyName","LowPriceRange","HighPriceRange","ExchangeCode"'
)
BREEZE_TEXTS: Mapping[str, tuple[str, ...]] = {
    "NSEScripMaster.txt": (
        '"Token", "ShortName", "Series", "CompanyName", "Lotsize", "ISINCode", "ExchangeCode"',
        '"2885","RELIND","EQ","RELIANCE INDUSTRIES",1,"INE002A01018","RELIANCE"',
    ),
    "BSEScripMaster.txt": (
        '"Token","ShortName","Series","CompanyName","LotSize","ISINCode","ExchangeCode"',
        '"500325","RELIND","DR","RELIANCE INDUSTRIES",1,"INE002A01018","RELIANCE"',
    ),
    "FONSEScripMaster.txt": (
        BREEZE_CONTRACTS,
        (
            '"68757","FUTSTK","RUCSOY","FUTURE","29-Sep-2026","0","XX",1075,5,"PATANJALI FOODS",'
            '324.35,396.35,"PATANJALI"'
        ),
    ),
    "FOBSEScripMaster.txt": (
        BREEZE_CONTRACTS,
        (
            '"825622","FUTIND","BSESEN","FUTURE","27-Aug-2026","0","XX",20,5,"BSE SENSEX",69526.65,'
            '84977,"SENSEX"'
        ),
    ),
    "CDNSEScripMaster.txt": (
        BREEZE_CONTRACTS,
        (
            '"1","UNDCUR","USDINR","SPOT","01-Jan-1980",0,"XX",1000,0.0025,"USDINR",37.8225,46.23,'
            '"USDINR"'
        ),
    ),
    "MCXScripMaster.txt": (
        BREEZE_CONTRACTS.replace(',"ExchangeCode"', ',"QuantityUnit","PriceUnit","ExchangeCode"'),
        (
            '"1","FUTSTK","GOLD","FUTURE","05-Feb-2027",0,"XX",1,100,"GOLD",90000,110000,"KGS",'
            '"RS/10GRMS","GOLD"'
        ),
    ),
}


def breeze(**lines: str) -> bytes:
    """Make a zip of Breeze's; `FONSE=line` replaces the lines of that text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (head, line) in BREEZE_TEXTS.items():
            said = lines.get(name.removesuffix("ScripMaster.txt"), line)
            archive.writestr(name, f"{head}\r\n{said}")
    return packed.getvalue()


def packed(content: bytes) -> bytes:
    """Pack a file as the brokers do."""
    return gzip.compress(content, mtime=0)


SMALL: Mapping[BrokerSlug, bytes] = {
    BrokerSlug.KITE: kite(),
    BrokerSlug.UPSTOX: upstox(),
    BrokerSlug.DHAN: dhan(),
    BrokerSlug.BREEZE: breeze(),
    BrokerSlug.OPENALGO: openalgo(),
}
