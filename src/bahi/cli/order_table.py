"""How orders are shown: a line each for people, exact text for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import typer

from bahi.cli.terminal import show_json, show_table
from bahi.kernel.clock import IST
from bahi.kernel.money import grouped, plain
from bahi.kernel.names import shown
from bahi.kernel.words import OrderStatus

if TYPE_CHECKING:
    from bahi.orders.model.order import Order
    from bahi.orders.service.looking import Timeline

HEADINGS: Final = ("id", "at", "side", "qty", "symbol", "price", "filled", "status")
NUMBERS: Final = ("qty", "price", "filled", "at (IST)", "after")


def told_order(it: Order) -> dict[str, Any]:
    """Tell a program of an order; ids are text, since numbers of JSON lose digits."""
    return {
        "id": str(it.id),
        "account_id": str(it.account_id),
        "client_order_id": it.client_order_id,
        "segment": it.segment,
        "symbol": it.symbol,
        "side": it.side,
        "quantity": it.quantity,
        "filled": it.filled,
        "product": it.product,
        "order_type": it.order_type,
        "validity": it.validity,
        "price": _exact(it.price),
        "trigger_price": _exact(it.trigger_price),
        "average_price": _exact(it.average_price),
        "status": it.status,
        "error_code": it.error_code,
        "error_message": it.error_message,
        "strategy": it.strategy,
        "placed_at": _instant(it.placed_at),
        "updated_at": _instant(it.updated_at),
        "version": it.version,
    }


def end_with(order: Order, *, as_json: bool, ends_well: bool = False) -> None:
    """Answer with an order; one that was refused is not done, unless that was what was asked."""
    if as_json:
        show_json(told_order(order))
    else:
        typer.echo(sentence_of(order))
    if order.status is OrderStatus.REJECTED and not ends_well:
        raise typer.Exit(1)


def show_orders(orders: Iterable[Order]) -> None:
    """Draw orders, one line each, in the order in which they come."""
    show_table(HEADINGS, [_row(it) for it in orders], numbers=NUMBERS)


def _row(it: Order) -> tuple[str, ...]:
    price = it.average_price or it.price
    return (
        str(it.id),
        _clock(it.placed_at, seconds=False),
        str(it.side),
        f"{it.quantity:,}",
        it.symbol,
        "market" if price is None else grouped(price),
        f"{it.filled:,}",
        str(it.status),
    )


def sentence_of(it: Order) -> str:
    """Say in one line what became of an order."""
    what = f"{it.side} {it.quantity:,} {it.symbol} ({shown(it.product)})"
    if it.filled:
        at = "" if it.average_price is None else f" at {grouped(it.average_price)}"
        return f"Order {it.id}: {what}, {it.filled:,} filled{at}: {it.status}."
    why = f": {it.error_message}" if it.error_message else "."
    return f"Order {it.id}: {what} is {it.status}{why}"


def told_timeline(found: Timeline) -> dict[str, Any]:
    """Tell a program of an order with all that happened to it."""
    return {
        **told_order(found.order),
        "events": [
            {
                "sequence": it.sequence,
                "type": it.kind,
                "source": it.source,
                "at": _instant(it.event_at),
                "recorded_at": _instant(it.recorded_at),
                "changes": dict(it.changes),
            }
            for it in found.events
        ],
        "parts": [told_order(it) for it in found.parts],
    }


def show_timeline(found: Timeline) -> None:
    """Draw an order's life, with the time that each step took."""
    rows, before = [], None
    for it in found.events:
        after = "" if before is None else _after(it.recorded_at - before)
        named = ", ".join(sorted(set(it.changes) - {"version", "updated_at"}))
        rows.append((str(it.sequence), _clock(it.recorded_at), after, str(it.kind), named[:40]))
        before = it.recorded_at
    show_table(("no", "at (IST)", "after", "what", "changed"), rows, numbers=NUMBERS)
    if found.parts:
        show_orders(found.parts)


def _after(took: Any) -> str:
    micros = took.total_seconds() * 1e6
    return f"{micros:,.0f} us" if micros < 10_000 else f"{micros / 1000:,.1f} ms"


def _clock(instant: datetime, *, seconds: bool = True) -> str:
    local = instant.astimezone(IST)
    return local.strftime("%H:%M:%S.%f") if seconds else local.strftime("%H:%M:%S")


def _instant(instant: datetime) -> str:
    return instant.astimezone(IST).isoformat()


def _exact(price: int | None) -> str | None:
    return None if price is None else plain(price)
