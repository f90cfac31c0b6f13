"""What became of orders, as it is answered: placed, waiting, refused, or not known yet.

An order that was refused is never answered with success, and neither is one of which nobody knows:
both are written, so both are answered with their ids.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from bahi.accounts.model import Account
from bahi.api.openalgo.door import Refused, good
from bahi.api.openalgo.words import mode_of
from bahi.kernel.errors import BahiError
from bahi.orders.model.order import APPROVAL, PENDING, REJECTED, TRANSIT, UNKNOWN, Order
from bahi.orders.service.modifying import ORDER_RATE

NOT_KNOWN: Final = frozenset({TRANSIT, UNKNOWN})


def placed(account: Account, order: Order, **more: Any) -> dict[str, Any]:
    """Answer with an order that was placed; raise where it was refused, or nobody knows."""
    if order.status is REJECTED:
        raise refused(account, order)
    if order.status in NOT_KNOWN:
        raise in_doubt(account, order, "was sent, and its answer has not come yet")
    if order.status is PENDING:
        more["message"] = _what_it_waits_for(order)
        more["pending_order_id"] = str(order.id)
    return good(account, orderid=str(order.id), **more)


def refused(account: Account, order: Order) -> Refused:
    """Return what is said of an order that was refused; one that came too soon may come again."""
    too_soon = order.error_code == ORDER_RATE
    return Refused(
        order.error_message or "The order was refused.",
        code=_code_of(order),
        status=HTTPStatus.TOO_MANY_REQUESTS if too_soon else None,
        orderid=str(order.id),
        mode=mode_of(account.mode),
        **({"retry_after": 1} if too_soon else {}),
    )


def in_doubt(account: Account, order: Order, what: str) -> Refused:
    """Return what is said of an order of which only its broker's book can tell."""
    return Refused(
        f"Order {order.id} {what}: it may or may not have happened. Ask for its status, and do not "
        "send it again.",
        code="in_doubt",
        status=HTTPStatus.GATEWAY_TIMEOUT,
        orderid=str(order.id),
        mode=mode_of(account.mode),
    )


def row_of(order: Order | None, fault: BahiError | None, **beside: Any) -> dict[str, Any]:
    """Return what became of one order of several."""
    row = dict(beside)
    if order is not None:
        row["orderid"] = str(order.id)
    if order is not None and fault is None and order.status in NOT_KNOWN:
        return row | {
            "status": "error",
            "code": "in_doubt",
            "message": "It was sent, and its answer has not come; ask for its status.",
        }
    if order is not None and fault is None and order.status is not REJECTED:
        waits = {"message": _what_it_waits_for(order)} if order.status is PENDING else {}
        return row | {"status": "success"} | waits
    if order is not None and order.status is REJECTED:
        said = order.error_message or "The order was refused."
        return row | {"status": "error", "code": _code_of(order), "message": said}
    code = "error" if fault is None else fault.code
    return row | {"status": "error", "code": code, "message": str(fault)}


def several(account: Account, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Answer with what became of several orders; raise where not one of them was placed."""
    failed = [it for it in rows if it["status"] != "success"]
    if not failed:
        return good(account, **more, results=rows)
    said = f"{len(rows) - len(failed)} of {len(rows)} orders were placed."
    if len(failed) < len(rows):
        return good(account, **more, message=said, failed=len(failed), results=rows)
    raise Refused(
        f"Not one of {len(rows)} orders was placed. {failed[0]['message']}",
        code=failed[0]["code"],
        results=rows,
        mode=mode_of(account.mode),
        **more,
    )


def _code_of(order: Order) -> str:
    return (order.error_code or "rejected").lower()


def _what_it_waits_for(order: Order) -> str:
    if order.waits_for == APPROVAL:
        return "The order waits until a person lets it go out."
    return "The order waits for its time."
