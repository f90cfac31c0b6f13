"""What people say, where neither a symbol nor a company's name says it, and what was renamed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from bahi.kernel.errors import Invalid
from bahi.kernel.symbols import index

NICKNAMES: Final = {
    "BN": "BANKNIFTY",
    "BNF": "BANKNIFTY",
    "CRUDE": "CRUDEOIL",
    "CRUDEMINI": "CRUDEOILM",
    "CRUDEOILMINI": "CRUDEOILM",
    "DOLLAR": "USDINR",
    "EURO": "EURINR",
    "FN": "FINNIFTY",
    "FNF": "FINNIFTY",
    "GOLDMINI": "GOLDM",
    "HUL": "HINDUNILVR",
    "INRUSD": "USDINR",
    "LANDT": "LT",
    "LNT": "LT",
    "MIDCAPNIFTY": "MIDCPNIFTY",
    "MIDNIFTY": "MIDCPNIFTY",
    "NATGAS": "NATURALGAS",
    "NATURALGASMINI": "NATGASMINI",
    "NF": "NIFTY",
    "POLICYBAZAAR": "POLICYBZR",
    "POUND": "GBPINR",
    "RIL": "RELIANCE",
    "SBI": "SBIN",
    "SILVERMICRO": "SILVERMIC",
    "SILVERMINI": "SILVERM",
    "USD": "USDINR",
    "VIX": "INDIAVIX",
    "YEN": "JPYINR",
}

FORMER: Final = {
    "ADANITRANS": ("ADANIENSOL",),
    "AMARAJABAT": ("ARE&M",),
    "CADILAHC": ("ZYDUSLIFE",),
    "GMRINFRA": ("GMRAIRPORT",),
    "IBULHSGFIN": ("SAMMAANCAP",),
    "INFRATEL": ("INDUSTOWER",),
    "LANDTFH": ("LTF",),
    "LTFH": ("LTF",),
    "LTI": ("LTM", "LTIM"),
    "LTIM": ("LTM",),
    "MCDOWELLN": ("UNITDSPR",),
    "MINDTREE": ("LTM", "LTIM"),
    "MOTHERSUMI": ("MOTHERSON",),
    "NIITTECH": ("COFORGE",),
    "PVR": ("PVRINOX",),
    "SRTRANSFIN": ("SHRIRAMFIN",),
    "TATAGLOBAL": ("TATACONSUM",),
    "TATAMOTORS": ("TMPV", "TMCV"),
    "ZOMATO": ("ETERNAL",),
}
"""Symbols that an exchange gave up, squeezed, and those that took their place."""

_FEWEST: Final = 3  # letters of a symbol that was given up


def _begun() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for symbol, today in FORMER.items():
        for length in range(_FEWEST, len(symbol) + 1):
            found[symbol[:length]] = found.get(symbol[:length], ()) + today
    return found


FORMER_BEGUN: Final = _begun()
"""The same by every beginning of the symbol that was given up."""


@lru_cache(maxsize=8192)  # asked of every letter that somebody types
def full_name(key: str) -> str:
    """Return what something is called here that is squeezed: NIFTY50 is NIFTY, SBI is SBIN."""
    if key in NICKNAMES:
        return NICKNAMES[key]
    if key in FORMER:
        return FORMER[key][0]
    try:
        return index(key)
    except Invalid:
        return key
