"""The rules of names, brokers, applications and addresses, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.accounts.model import (
    FAMILY,
    UPSTOX_NAMES,
    Account,
    Egress,
    Person,
    SeveralAccounts,
    mode_of,
    next_index,
    only_one,
    parse_api_name,
    parse_ip,
    parse_name,
    parse_pan,
    parse_text,
    parse_url,
    warnings_of_change,
    warnings_of_sharing,
)
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, parse

NOON = datetime(2036, 11, 24, 12, tzinfo=UTC)
HTTP = ("http", "https")


def an_account(number: int = 1, broker: BrokerSlug = BrokerSlug.KITE, **given: object) -> Account:
    values: dict[str, object] = dict.fromkeys(Account.__slots__)
    values |= {
        "id": number,
        "user_id": 1,
        "person_id": number,
        "name": f"account {number}",
        "broker": broker,
        "mode": mode_of(broker, None),
        "is_primary": False,
        "is_active": True,
        "has_ddpi": False,
        "connection_status": ConnectionStatus.DISCONNECTED,
        "created_at": NOON,
        "updated_at": NOON,
        **given,
    }
    return Account(**values)  # type: ignore[arg-type]


def a_person(relation: str | None = "self", user_id: int = 1, number: int = 1) -> Person:
    return Person(
        id=number,
        user_id=user_id,
        name="Vijay",
        relation=relation,
        has_pan=False,
        created_at=NOON,
    )


def an_egress(*, declared: bool = False) -> Egress:
    return Egress(
        id=1,
        address="10.0.0.7",
        public_address="203.0.113.7",
        provider=None,
        description=None,
        person_id=None,
        family_declared=declared,
        is_active=True,
    )


@given(st.text(max_size=120))
def test_a_name_has_three_to_eighty_printable_characters_or_is_refused(said: str) -> None:
    try:
        name = parse_name(said)
    except Invalid:
        squeezed = " ".join(said.split())
        assert not (3 <= len(squeezed) <= 80 and squeezed.isprintable())
        return
    assert 3 <= len(name) <= 80
    assert name.isprintable()
    assert parse_name(name) == name


def test_a_pan_has_its_form_and_a_refusal_does_not_quote_it() -> None:
    assert parse_pan(" abcde1234f ") == "ABCDE1234F"
    for bad in ("ABCD1234F", "ABCDE12345", "", "ABCDE1234FX", "अBCDE1234F"):
        with pytest.raises(Invalid) as refusal:
            parse_pan(bad)
        assert not bad or bad not in str(refusal.value)


def test_a_broker_is_one_that_is_known_by_its_name_or_an_older_one() -> None:
    assert parse(BrokerSlug, "Zerodha") is BrokerSlug.KITE
    assert parse(BrokerSlug, "icici") is BrokerSlug.BREEZE
    with pytest.raises(Invalid):
        parse(BrokerSlug, "robinhood")


@pytest.mark.parametrize("broker", BrokerSlug)
def test_a_mode_follows_from_the_broker(broker: BrokerSlug) -> None:
    natural = mode_of(broker, None)
    assert (natural is AccountMode.PAPER) == (broker is BrokerSlug.PAPER)
    assert mode_of(broker, natural) is natural
    (other,) = set(AccountMode) - {natural}
    with pytest.raises(Invalid, match="mode"):
        mode_of(broker, other)


def test_upstox_has_six_applications_in_the_order_of_their_logins() -> None:
    upstox = BrokerSlug.UPSTOX
    assert UPSTOX_NAMES == (
        "PRIMARY", "WEBSOCKET1", "WEBSOCKET2", "WEBSOCKET3", "OPTIONCHAIN1", "OPTIONCHAIN2",
    )  # fmt: skip
    for place, name in enumerate(UPSTOX_NAMES):
        assert next_index(name, upstox, [5, 3]) == place
    for said in ("websocket_2", " WebSocket2", "WEB_SOCKET_2"):
        assert parse_api_name(said, upstox) == "WEBSOCKET2"
    for bad in ("WEBSOCKET4", "SECONDARY", ""):
        with pytest.raises(Invalid, match="PRIMARY"):
            parse_api_name(bad, upstox)


def test_applications_elsewhere_are_called_anything_and_follow_one_another() -> None:
    kite = BrokerSlug.KITE
    assert parse_api_name("algo_2", kite) == "ALGO_2"
    assert next_index("ALGO_2", kite, []) == 0
    assert next_index("ALGO_2", kite, [0, 4]) == 5
    for bad in ("", "2ALGO", "A" * 41, "AL GO"):
        with pytest.raises(Invalid):
            parse_api_name(bad, kite)


@pytest.mark.parametrize(
    "bad",
    [
        "http://169.254.169.254/latest",
        "http://[fe80::1]:5000",
        "127.0.0.1:5000",
        "ftp://host",
        "http://",
        "http://user:k0rall@host",
        "http://host:0",
        "http://host:99999",
        "http://host?next=x",
        "http://ho\nst",
        "http://host /x",
        "http://ho\0st",
        "http://[::1",
    ],
)
def test_an_address_of_a_host_is_whole_and_carries_no_secret(bad: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_url(bad, HTTP, "host_url")
    assert "k0rall" not in str(refusal.value)


def test_an_address_of_a_host_is_kept_without_a_last_slash() -> None:
    assert parse_url(" http://127.0.0.1:5000/ ", HTTP, "host_url") == "http://127.0.0.1:5000"


def test_an_address_of_ours_has_one_spelling() -> None:
    assert parse_ip(" 2001:DB8:0::1 ") == "2001:db8::1"
    with pytest.raises(Invalid, match="address"):
        parse_ip("10.0.0.256")


def test_a_text_is_printable_and_empty_is_none() -> None:
    assert parse_text("  a   b ", "client_id") == "a b"
    assert parse_text("  ", "client_id") is parse_text(None, "client_id") is None
    for bad in ("a\0b", "x" * 301, "\ud800"):
        with pytest.raises(Invalid, match="client_id"):
            parse_text(bad, "client_id")


@given(st.integers(0, 30 * 24 * 60))
def test_an_address_that_changed_within_a_week_is_warned_of(minutes: int) -> None:
    account = an_account(egress_changed_at=NOON)
    warnings = warnings_of_change(account, NOON + timedelta(minutes=minutes))
    assert bool(warnings) == (minutes < 7 * 24 * 60)
    assert warnings_of_change(an_account(), NOON) == []


def test_upstox_shares_an_address_with_nobody_on_either_side() -> None:
    upstox, kite = an_account(1, BrokerSlug.UPSTOX), an_account(2)
    family = a_person("self"), a_person("spouse")
    for one, other in ((upstox, kite), (kite, upstox)):
        found = warnings_of_sharing(one, family[0], an_egress(declared=True), [(other, family[1])])
        assert len(found) == 1
        assert "Upstox" in found[0]
        assert "203.0.113.7" in found[0]


@given(
    st.sampled_from([*sorted(FAMILY), "other", None]),
    st.sampled_from([*sorted(FAMILY), "other", None]),
    st.booleans(),
    st.booleans(),
)
def test_only_a_family_that_was_declared_shares_whoever_comes_second(
    one: str | None, other: str | None, declared: bool, same_books: bool
) -> None:
    mine, theirs = a_person(one), a_person(other, user_id=1 if same_books else 2, number=2)
    egress = an_egress(declared=declared)
    first = warnings_of_sharing(an_account(1), mine, egress, [(an_account(2), theirs)])
    second = warnings_of_sharing(an_account(2), theirs, egress, [(an_account(1), mine)])
    allowed = declared and same_books and {one, other} <= FAMILY
    assert bool(first) == bool(second) == (not allowed)


def test_who_is_not_known_is_no_family_and_paper_and_oneself_need_no_address() -> None:
    egress, other = an_egress(declared=True), an_account(2)
    assert warnings_of_sharing(an_account(1), a_person(), egress, [(other, None)])
    assert warnings_of_sharing(an_account(1), None, egress, [(other, a_person())])
    paper = an_account(3, BrokerSlug.PAPER)
    assert warnings_of_sharing(paper, None, egress, [(other, None)]) == []
    assert warnings_of_sharing(other, None, egress, [(paper, None)]) == []
    twin = replace(other, id=4, broker=BrokerSlug.UPSTOX)  # the same person elsewhere
    assert warnings_of_sharing(other, None, egress, [(twin, None)]) == []


def test_the_account_meant_is_the_only_one_or_the_primary_of_several() -> None:
    one, two = an_account(1), an_account(2)
    assert only_one([one], "kite") is one
    primary = replace(two, is_primary=True)
    assert only_one([one, primary], "kite") is primary
    with pytest.raises(NotFound, match="kite"):
        only_one([], "kite")
    with pytest.raises(SeveralAccounts, match="account 1, account 2") as refusal:
        only_one([one, two], "kite")
    assert refusal.value.code == "several_accounts"
