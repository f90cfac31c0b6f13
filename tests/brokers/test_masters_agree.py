"""What two files of near dates say of one exchange token is the same, or differs for a reason."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bahi.kernel.listings import Difference, disagreement
from tests.brokers import masters
from tests.brokers.masters import (
    BREEZE,
    DHAN,
    DHAN_DETAILED,
    KITE_NFO,
    KITE_NSE,
    UPSTOX_CSV,
    UPSTOX_JSON,
)

# What was found when these files were first compared; a changed number is a changed reading.
PAIRS = (
    (
        DHAN,
        UPSTOX_CSV,
        date(2026, 2, 9),
        {"shared": 53699, "expired": 24942, "adjusted": 866, "renamed": 146, "reused": 85},
    ),
    (
        DHAN,
        UPSTOX_JSON,
        date(2026, 8, 17),
        {"shared": 54398, "expired": 32334, "adjusted": 495, "renamed": 166, "reused": 14},
    ),
    (
        BREEZE,
        UPSTOX_JSON,
        date(2026, 8, 17),
        {"shared": 62203, "adjusted": 653, "reused": 49, "renamed": 47, "expired": 2},
    ),
    (KITE_NFO, UPSTOX_CSV, date(2025, 9, 24), {"shared": 16654, "adjusted": 375, "expired": 56}),
    (KITE_NSE, UPSTOX_CSV, date(2025, 8, 22), {"shared": 7283, "adjusted": 104, "renamed": 4}),
    (DHAN, DHAN_DETAILED, date(2026, 4, 15), {"shared": 8697, "adjusted": 180, "renamed": 3}),
)


def compared(shared_data: Path, ours: str, theirs: str, day: date) -> tuple[Counter[str], Counter]:
    by_token = {
        (listing.segment, listing.exchange_token): listing
        for listing in masters.real(shared_data, theirs).listings
        if listing.exchange_token
    }
    kinds: Counter[str] = Counter()
    fields: Counter[tuple[str, str]] = Counter()
    for listing in masters.real(shared_data, ours).listings:
        other = by_token.get((listing.segment, listing.exchange_token))
        if other is None:
            continue
        kinds["shared"] += 1
        if said := disagreement(listing, other, day):
            kinds[str(said.kind)] += 1
            fields[(str(said.kind), "+".join(said.fields))] += 1
    return kinds, fields


@pytest.mark.parametrize(("ours", "theirs", "day", "expected"), PAIRS)
def test_every_disagreement_on_a_shared_token_has_its_reason(
    shared_data: Path, ours: str, theirs: str, day: date, expected: dict[str, int]
) -> None:
    kinds, fields = compared(shared_data, ours, theirs, day)

    print(f"\n{ours} and {theirs}: {dict(kinds)}")
    for (kind, names), count in sorted(fields.items()):
        print(f"  {kind:9} {names}: {count}")
    assert dict(kinds) == expected
    assert not kinds[Difference.UNIT], "one of the two was misread by a factor"
