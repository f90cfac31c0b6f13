"""What is answered of an order: never success where it was refused, or where nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from bahi.accounts.model import Account
from bahi.api.openalgo.door import Refused
from bahi.api.openalgo.outcomes import placed, row_of, several
from bahi.kernel.errors import NotFound
from bahi.kernel.words import (
    AccountMode,
    BrokerSlug,
    ConnectionStatus,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
)
from bahi.orders.model.order import APPROVAL, Order

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
PAPER = Account(
    **dict.fromkeys(Account.__slots__)
    | {
        "id": 7,
        "user_id": 1,
        "name": "Paper",
        "broker": BrokerSlug.PAPER,
        "mode": AccountMode.PAPER,
        "connection_status": ConnectionStatus.DISCONNECTED,
    }
)


def an_order(status: OrderStatus, **more: Any) -> Order:
    return Order(
        **{
            "id": 42,
            "account_id": 7,
            "segment": Segment.NSE_EQ,
            "symbol": "SBIN",
            "side": Side.BUY,
            "product": Product.INTRADAY,
            "order_type": OrderType.MARKET,
            "quantity": 1,
            "status": status,
            "actor": "asha",
            "placed_at": NOW,
            "updated_at": NOW,
            **more,
        }
    )


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED])
def test_an_order_that_stands_is_answered_with_its_id(status: OrderStatus) -> None:
    said = placed(PAPER, an_order(status))
    assert said == {"status": "success", "orderid": "42", "mode": "analyze"}


@pytest.mark.parametrize("status", [OrderStatus.TRANSIT, OrderStatus.UNKNOWN])
def test_an_order_of_which_nobody_knows_is_in_doubt(status: OrderStatus) -> None:
    with pytest.raises(Refused) as doubt:
        placed(PAPER, an_order(status))
    assert doubt.value.said_status is HTTPStatus.GATEWAY_TIMEOUT
    assert (doubt.value.said_code, doubt.value.beside["orderid"]) == ("in_doubt", "42")
    assert row_of(an_order(status), None)["code"] == "in_doubt"


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [("DAILY_LOSS", 422, "daily_loss"), ("ORDER_RATE", 429, "order_rate"), (None, 422, "rejected")],
)
def test_a_refusal_tells_its_reason(code: str | None, status: int, told: str) -> None:
    order = an_order(OrderStatus.REJECTED, error_code=code, error_message="Too much.")
    with pytest.raises(Refused, match=r"^Too much\.$") as refusal:
        placed(PAPER, order)
    assert (refusal.value.said_status, refusal.value.said_code) == (status, told)
    assert row_of(order, None, leg=1) == {
        "leg": 1,
        "orderid": "42",
        "status": "error",
        "code": told,
        "message": "Too much.",
    }


def test_an_order_that_waits_says_for_what() -> None:
    waits = an_order(OrderStatus.PENDING, waits_for=APPROVAL)
    said = placed(PAPER, waits)
    assert said["pending_order_id"] == "42"
    assert "person" in said["message"]
    assert "person" in row_of(waits, None)["message"]


def test_several_are_a_failure_only_where_none_was_placed() -> None:
    good, bad = row_of(an_order(OrderStatus.OPEN), None), row_of(None, NotFound("Gone."))
    assert "message" not in several(PAPER, [good, good])
    assert several(PAPER, [good, bad])["message"] == "1 of 2 orders were placed."
    with pytest.raises(Refused, match=r"Not one of 2 orders was placed\. Gone\.") as none:
        several(PAPER, [bad, bad])
    assert none.value.said_code == "not_found"
