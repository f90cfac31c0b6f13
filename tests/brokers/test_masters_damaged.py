"""A file that is not what it should be says so; one bad line costs that line and no other."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bahi.brokers import masters as all_masters
from bahi.kernel.listings import BadLine, NotAMaster
from bahi.kernel.words import BrokerSlug
from tests.brokers import masters
from tests.brokers.masters import KITE_LINES, SMALL, UPSTOX_ENTRIES, WHOSE

PLAIN = {
    "kite": (BrokerSlug.KITE, masters.kite()),
    "upstox": (BrokerSlug.UPSTOX, masters.upstox()),
    "upstox csv": (BrokerSlug.UPSTOX, masters.upstox_csv()),
    "dhan": (BrokerSlug.DHAN, masters.dhan()),
    "openalgo": (BrokerSlug.OPENALGO, masters.openalgo()),
}


def refusal(broker: BrokerSlug, content: bytes) -> str:
    with pytest.raises(NotAMaster) as refused:
        masters.read(broker, content)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert len(sentence) < 400
    return sentence


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_cut_anywhere_is_refused_unless_the_cut_fell_behind_a_line(name: str) -> None:
    broker, whole = PLAIN[name]
    honest = masters.read(broker, whole).listings
    whole_lines = {listing.line: listing._replace(name="") for listing in honest}
    for end in range(len(whole)):
        cut = whole[:end]
        try:
            told = masters.read(broker, cut)
        except NotAMaster:
            continue
        # No file tells of lines that would follow its end: the loader's count of them does.
        # (Dhan's last line never ends, so a cut within the name that stands last shows no better.)
        assert cut.endswith(b"\n") or whole[end : end + 1] == b"\n" or name == "dhan"
        assert told.bad == []
        for said in told.listings:
            assert said._replace(name="") == whole_lines[said.line]


@pytest.mark.parametrize("broker", SMALL)
def test_a_packed_file_cut_anywhere_is_refused(broker: BrokerSlug) -> None:
    whole = SMALL[broker]
    packed = whole if broker is BrokerSlug.BREEZE else masters.packed(whole)
    for end in range(len(packed)):
        refusal(broker, packed[:end])


@pytest.mark.parametrize("broker", SMALL)
@settings(max_examples=60)
@given(data=st.data())
def test_bytes_turned_at_random_never_break_the_reader(
    broker: BrokerSlug, data: st.DataObject
) -> None:
    content = bytearray(SMALL[broker])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        told = masters.read(broker, bytes(content))
    except NotAMaster:
        return
    assert all(line.reason and len(line.reason) <= 120 for line in told.bad)


@given(st.binary(max_size=400))
def test_any_bytes_are_no_master(content: bytes) -> None:
    for broker in SMALL:
        refusal(broker, content)


@pytest.mark.parametrize("broker", SMALL)
@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"", "empty"),
        (b"\n\n", ""),
        (b"<!DOCTYPE html><html><body>Service unavailable</body></html>", "an HTML page"),
        (b'{"status":"error","errors":[{"errorCode":"UDAPI100050"}]}', "a JSON error answer"),
        (b'{"status": "error", "message": "Incorrect `api_key`."}', "a JSON error answer"),
        (b"[]", ""),
        (b"\x00\xff\xfe\x80", "no text"),
        (masters.packed(b"<html>"), "an HTML page"),
    ],
)
def test_what_is_no_file_of_anybodys_is_named(
    broker: BrokerSlug, content: bytes, looks: str
) -> None:
    sentence = refusal(broker, content)
    assert looks in sentence


LOOKS = {
    BrokerSlug.KITE: "Kite's file",
    BrokerSlug.UPSTOX: "Upstox's",
    BrokerSlug.DHAN: "Dhan's",
    BrokerSlug.BREEZE: "a zip archive",
}


@pytest.mark.parametrize(("file", "broker"), list(itertools.product(WHOSE, SMALL)))
def test_another_brokers_real_file_is_named(
    shared_data: Path, file: str, broker: BrokerSlug
) -> None:
    if WHOSE[file] is broker:
        return
    with (
        (shared_data / "instruments" / file).open("rb") as opened,
        pytest.raises(NotAMaster) as refused,
    ):
        list(all_masters()[broker].listings(opened))
    assert LOOKS[WHOSE[file]] in str(refused.value)


def test_one_bad_line_among_good_ones_is_named_and_the_others_are_read() -> None:
    for wrong, reason in [
        ("x,2885,R,R,0.0,,0.0,0.1,1,EQ,NSE,NSE", "instrument_token: 'x'"),
        ("738561,2885,R,R,0.0,,0.0,0.1,1,EQ,NSE", "11 columns where the header has 12"),
        ('738561,2885,"R,R,0.0,,0.0,0.1,1,EQ,NSE,NSE', "quotes do not close"),
        ("738561,2885,R,R,0.0,,0.0,0.00001,1,EQ,NSE,NSE", "tick_size: '0.00001'"),
        ("738561,2885,R,R,0.0,,0.0,0.1,1.5,EQ,NSE,NSE", "lot_size: '1.5'"),
        ("738561,2885,R,R,0.0,,0.0,0.1,1,EQ,NSX,NSE", "segment: 'NSX'"),
        ("738561,2885,R,R,0.0,,0.0,0.1,-1,EQ,NSE,NSE", "lot_size: '-1'"),
        ("738561,2885,R,R,0.0,,100,0.1,1,EQ,NSE,NSE", "strike: '100'"),
        (KITE_LINES[3].replace("2025-09-30", "2025-09-31"), "expiry: '2025-09-31'"),
        (KITE_LINES[3].replace("2025-09-30", "30-09-2025"), "expiry: '30-09-2025'"),
        (KITE_LINES[3].replace("25150.0", "abc"), "strike: 'abc'"),
        (KITE_LINES[3].replace("25150.0", "-0.01"), "strike: '-0.01'"),
        (KITE_LINES[3].replace("25150.0", "25150.00000000001"), "strike: '25150.00000000001'"),
        (KITE_LINES[3].replace(",CE,", ",XE,"), "instrument_type: 'XE'"),
    ]:
        told = masters.read(BrokerSlug.KITE, masters.kite(*KITE_LINES[:2], wrong, *KITE_LINES[2:]))
        assert [line.line for line in told.listings] == [2, 3, 5, 6]
        assert [line.line for line in told.bad] == [4]
        assert reason in told.bad[0].reason


def test_one_bad_entry_among_good_ones_is_named_by_its_number() -> None:
    good = UPSTOX_ENTRIES[1]
    for changed, reason in [
        ({"tick_size": 0.001}, "tick_size: '0.001'"),
        ({"strike_price": 0.0}, "strike_price: '0.0'"),
        ({"strike_price": True}, "strike_price: 'True'"),
        ({"expiry": -1}, "expiry: '-1'"),
        ({"expiry": 10**30}, "expiry"),
        ({"expiry": "2026-12-29"}, "expiry: '2026-12-29'"),
        ({"segment": "NSX_FO"}, "segment: 'NSX_FO'"),
        ({"exchange_token": ""}, "exchange_token: ''"),
        ({"instrument_key": "NSE_EQ|71505"}, "instrument_key"),
        ({"underlying_symbol": ""}, "root"),
        ({"lot_size": "65 or so"}, "lot_size: '65 or so'"),
        ({"lot_size": {"a": 1}}, "lot_size"),
    ]:
        told = masters.read(
            BrokerSlug.UPSTOX, masters.upstox(UPSTOX_ENTRIES[0], {**good, **changed}, good)
        )
        assert [line.line for line in told.listings] == [1, 3]
        assert [line.line for line in told.bad] == [2]
        assert reason in told.bad[0].reason


def test_an_entry_that_is_no_object_is_a_bad_line() -> None:
    content = masters.upstox().replace(b"[", b"[7,", 1)
    assert masters.read(BrokerSlug.UPSTOX, content).bad == [BadLine(1, "it is no JSON object")]


def test_a_bad_line_of_breeze_names_its_text() -> None:
    line = masters.BREEZE_TEXTS["FONSEScripMaster.txt"][1].replace("29-Sep-2026", "29-Sep-20x6")
    told = masters.read(BrokerSlug.BREEZE, masters.breeze(FONSE=line))
    assert len(told.bad) == 1
    assert told.bad[0].line == 2
    assert told.bad[0].reason.startswith("FONSEScripMaster.txt: ExpiryDate")


@given(st.permutations(range(12)))
def test_values_in_other_columns_are_never_taken_for_others_that_can_be_told(
    order: list[int],
) -> None:
    """The header stays and the values move: an option is read as it is, or it is a bad line."""
    honest = masters.read(BrokerSlug.KITE, masters.kite(KITE_LINES[3])).listings[0]
    cells = KITE_LINES[3].split(",")
    moved = ",".join(cells[at] for at in order)
    told = masters.read(BrokerSlug.KITE, masters.kite(moved))
    for listing in told.listings:
        free = {"name": "", "tick_size": None, "lot_size": None, "broker_lot": None}
        assert listing._replace(**free) == honest._replace(**free)


@given(st.permutations(range(12)))
def test_columns_may_stand_in_any_order_under_their_names(order: list[int]) -> None:
    head, lines = masters.KITE_HEAD.split(","), [line.split(",") for line in KITE_LINES]
    moved = [",".join(cells[at] for at in order) for cells in [head, *lines]]
    told = masters.read(BrokerSlug.KITE, masters.csv_file(*moved))
    assert told == masters.read(BrokerSlug.KITE, masters.kite())


def test_missing_columns_are_named() -> None:
    content = masters.kite().replace(b"tick_size", b"ticks")
    assert "no column tick_size" in refusal(BrokerSlug.KITE, content)


def test_a_file_of_columns_alone_is_refused() -> None:
    assert "no line" in refusal(BrokerSlug.KITE, masters.csv_file(masters.KITE_HEAD))


def test_an_answer_that_did_not_succeed_is_refused() -> None:
    content = masters.openalgo(status="failed")
    assert "did not succeed" in refusal(BrokerSlug.OPENALGO, content)


def test_a_zip_without_a_text_is_refused() -> None:
    content = masters.breeze().replace(b"MCXScripMaster", b"MCYScripMaster")
    assert "MCXScripMaster.txt" in refusal(BrokerSlug.BREEZE, content)


def test_nothing_of_a_refused_file_is_repeated_at_length() -> None:
    line = f"1,{'9' * 5000},R,R,0.0,,0.0,0.1,1,EQ,NSE,NSE"
    told = masters.read(BrokerSlug.KITE, masters.kite(line))
    assert len(told.bad[0].reason) <= 120
    assert len(refusal(BrokerSlug.KITE, b"x" * 200_000)) < 200


def test_an_openalgo_symbol_that_denies_its_terms_is_a_bad_line() -> None:
    entry = dict(masters.OPENALGO_ENTRIES[0]) | {"strike": 25050}
    told = masters.read(BrokerSlug.OPENALGO, masters.openalgo(entry))
    assert "does not say the entry's terms" in told.bad[0].reason


@pytest.mark.parametrize(
    "name", ["a\0b", "a\x1b[31mb", "a\u202eb", "a\nb", "\ud800", "x" * 201], ids=repr
)
def test_a_name_that_nobody_should_be_shown_spoils_its_line_and_no_other(name: str) -> None:
    entries = [
        {
            "segment": "NSE_EQ",
            "name": said,
            "exchange": "NSE",
            "isin": "INE002A01018",
            "instrument_type": "EQ",
            "instrument_key": f"NSE_EQ|{token}",
            "lot_size": 1,
            "freeze_quantity": 100000.0,
            "exchange_token": str(token),
            "tick_size": 10.0,
            "trading_symbol": f"SHARE{token}",
            "short_name": said,
            "security_type": "NORMAL",
        }
        for token, said in ((1, "good"), (2, name), (3, "good"))
    ]
    file = io.BytesIO(json.dumps(entries).encode())
    lines = list(all_masters()[BrokerSlug.UPSTOX].listings(file))
    assert [type(it).__name__ for it in lines] == ["Listing", "BadLine", "Listing"]
    assert lines[1].line == 2
    assert lines[1].reason.isprintable()
