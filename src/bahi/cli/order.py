"""`bahi order`: orders placed, changed, taken back, looked at and watched."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli import order_waiting
from bahi.cli.market import Exchange, instruments_named
from bahi.cli.order_table import (
    end_with,
    sentence_of,
    show_orders,
    show_timeline,
    told_order,
    told_timeline,
)
from bahi.cli.standing import AccountOption, at_books, at_desk
from bahi.cli.terminal import AsJson, say, show_json
from bahi.kernel.clock import day_begins
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import (
    AmoTime,
    OrderStatus,
    OrderType,
    Side,
    Validity,
    parse,
    parse_product,
)

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.orders.model.order import Order
    from bahi.orders.service.desk import Desk
    from bahi.orders.service.looking import Timeline

app = typer.Typer(help="Orders.", no_args_is_help=True)
app.add_typer(order_waiting.app)

LOOKED_AT_EVERY_S: Final = 0.5
WATCHED_AT_MOST: Final = 200

OrderId = Annotated[int, typer.Argument(metavar="ORDER", min=1, help="Its id.")]
PriceOption = Annotated[str | None, typer.Option("--price", help="A limit, in rupees.")]
TriggerOption = Annotated[str | None, typer.Option("--trigger", help="Where a stop fires.")]


@app.command()
def place(
    side: Annotated[str, typer.Argument(help="buy or sell")],
    quantity: Annotated[int, typer.Argument(min=1, help="How many pieces, in whole lots.")],
    symbol: Annotated[str, typer.Argument(help="SBIN, NIFTY24NOV2626000CE, ...")],
    *,
    exchange: Exchange = None,
    product: Annotated[str, typer.Option("--product", help="MIS, CNC, NRML or MTF.")] = "MIS",
    price: PriceOption = None,
    trigger: TriggerOption = None,
    validity: Annotated[str, typer.Option("--validity", help="DAY or IOC.")] = "DAY",
    after_hours: Annotated[
        str | None, typer.Option("--amo", help="Keep it for the next session: OPEN, PRE_OPEN, ...")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Whose order it is.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Your own name for it: twice asked, once done.")
    ] = None,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Place an order: at the market, or with --price a limit, with --trigger a stop."""
    from bahi.orders.model.wishes import PlaceOrder  # noqa: PLC0415 - for who places one
    from bahi.orders.service.placing import place_order  # noqa: PLC0415

    limit, fires = _rupees(price, "price"), _rupees(trigger, "trigger")
    amo = None if after_hours is None else parse(AmoTime, after_hours, field="amo")

    async def send(house: House, desk: Desk) -> Order:
        (instrument,) = await instruments_named(house, [symbol], exchange)
        wish = PlaceOrder(
            segment=instrument.segment,
            symbol=instrument.symbol,
            side=parse(Side, side, field="side"),
            quantity=quantity,
            product=parse_product(product, instrument.segment),
            order_type=_type_of(limit, fires),
            price=limit,
            trigger_price=fires,
            validity=parse(Validity, validity, field="validity"),
            amo_time=amo,
            client_order_id=name,
            strategy=strategy,
        )
        return await place_order(desk, wish)

    end_with(at_desk(account, send), as_json=as_json)


@app.command()
def modify(
    order: OrderId,
    *,
    quantity: Annotated[int | None, typer.Option("--quantity", min=1)] = None,
    price: PriceOption = None,
    trigger: TriggerOption = None,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Change an order that works."""
    from bahi.orders.model.changing import ModifyOrder  # noqa: PLC0415 - for who changes one
    from bahi.orders.service.modifying import modify_order  # noqa: PLC0415

    wish = ModifyOrder(
        order_id=order,
        quantity=quantity,
        price=_rupees(price, "price"),
        trigger_price=_rupees(trigger, "trigger"),
    )

    async def change(_: House, desk: Desk) -> Order:
        return await modify_order(desk, wish)

    end_with(at_desk(account, change), as_json=as_json)


@app.command()
def cancel(
    order: Annotated[
        int | None, typer.Argument(metavar="ORDER", min=1, help="Its id; or say --all.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that works.")] = False,
    strategy: Annotated[
        str | None, typer.Option(help="With --all: of this strategy alone.")
    ] = None,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Take back what is left of an order, or with --all of every one that works."""
    from bahi.orders.service.cancelling import cancel_all, cancel_order  # noqa: PLC0415 - likewise

    if (order is None) is not everything:
        raise Invalid("Name one order, or say --all; one of both.")
    if order is not None:
        number = order

        async def one(_: House, desk: Desk) -> Order:
            return await cancel_order(desk, number)

        end_with(at_desk(account, one), as_json=as_json)
        return

    async def each(_: House, desk: Desk) -> list[dict[str, Any]]:
        return [
            {
                "id": str(it.order_id),
                "status": None if it.order is None else it.order.status,
                "fault": None if it.fault is None else str(it.fault),
            }
            for it in await cancel_all(desk, strategy=strategy)
        ]

    found = at_desk(account, each)
    if as_json:
        show_json(found)
    else:
        for it in found:
            typer.echo(f"Order {it['id']}: {it['fault'] or it['status']}")
        say(f"{len(found)} orders worked.")
    if any(it["fault"] for it in found):
        raise typer.Exit(1)


@app.command()
def show(order: OrderId, *, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show an order and everything that happened to it, with the time between."""
    from bahi.orders.service.looking import timeline_of  # noqa: PLC0415 - for who looks

    async def look(_: House, kept: Kept) -> Timeline | None:
        return await kept.store.read(timeline_of, kept.account.id, order, fresh=True)

    found = at_books(account, look)
    if found is None:
        raise NotFound(f"There is no order {order} on this account; `bahi order list` shows them.")
    if as_json:
        show_json(told_timeline(found))
        return
    typer.echo(sentence_of(found.order))
    show_timeline(found)


@app.command("list")
def list_(
    *,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="OPEN, EXECUTED, ...; again for more.")
    ] = None,
    symbol: Annotated[str | None, typer.Option("--symbol")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="How far back.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Show orders, the newest first: today's, or of more days."""
    from bahi.orders.service.looking import Wanted, page_of  # noqa: PLC0415 - for who looks

    statuses = tuple(parse(OrderStatus, it, field="status") for it in status or ())

    async def look(house: House, kept: Kept) -> list[Order]:
        wanted = Wanted(
            statuses=statuses,
            symbol=None if symbol is None else symbol.strip().upper(),
            strategy=strategy,
            since=day_begins(house.clock()) - timedelta(days=days - 1),
        )
        page = await kept.store.read(page_of, kept.account.id, wanted, None, limit, fresh=True)
        return page.orders

    found = at_books(account, look)
    if as_json:
        show_json([told_order(it) for it in found])
        return
    show_orders(found)
    if not found:
        say("No orders; `bahi order list --days 30` looks further back.")


@app.command()
def watch(*, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Tell of each order that changes, from now on; Ctrl-C ends it. With --json a line each."""

    async def go_on(house: House, kept: Kept) -> None:
        await follow(house, kept, lambda it: _tell(it, as_json=as_json))

    try:
        at_books(account, go_on)
    except KeyboardInterrupt:
        sys.exit(0)  # that is how one stops it


async def follow(house: House, kept: Kept, tell: Callable[[Order], Any]) -> None:
    """Tell of every order of today that is new or changes from now on, for ever."""
    from bahi.orders.service.looking import Wanted, page_of  # noqa: PLC0415 - for who looks

    wanted = Wanted(since=day_begins(house.clock()))

    async def newest() -> list[Order]:
        found = await kept.store.read(
            page_of, kept.account.id, wanted, None, WATCHED_AT_MOST, fresh=True
        )
        return found.orders[::-1]

    known = {it.id: it.version for it in await newest()}
    while True:
        await asyncio.sleep(LOOKED_AT_EVERY_S)
        for it in await newest():
            if known.get(it.id) != it.version:
                known[it.id] = it.version
                tell(it)


def _tell(it: Order, *, as_json: bool) -> None:
    typer.echo(json.dumps(told_order(it), ensure_ascii=False) if as_json else sentence_of(it))


def _type_of(price: Price | None, trigger: Price | None) -> OrderType:
    if trigger is not None:
        return OrderType.STOP_LOSS_MARKET if price is None else OrderType.STOP_LOSS
    return OrderType.MARKET if price is None else OrderType.LIMIT


def _rupees(said: str | None, field: str) -> Price | None:
    return None if said is None else parse_price(said, field)
