"""`bahi position`: what is open, what it is worth, and the ways out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.market import Exchange, instruments_named
from bahi.cli.named import ME
from bahi.cli.order_table import sentence_of, told_order
from bahi.cli.standing import AccountOption, at_books, at_desk
from bahi.cli.terminal import AsJson, Yes, confirm, say, show_json, show_table
from bahi.kernel.money import grouped, plain
from bahi.kernel.names import shown
from bahi.kernel.words import OrderStatus, parse_product

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.orders.service.aiming import Aim
    from bahi.orders.service.desk import Desk
    from bahi.orders.service.flattening import Flattened, Planned
    from bahi.portfolio.model.worth import Worth

app = typer.Typer(help="Positions: what is open, and out of it again.", no_args_is_help=True)

HEADINGS: Final = ("symbol", "at", "as", "net", "average", "last", "open P&L", "made")
NUMBERS: Final = HEADINGS[3:]

SymbolName = Annotated[str, typer.Argument(help="SBIN, NIFTY24NOV2626000CE, ...")]
Held = Annotated[str, typer.Option("--product", help="Held as MIS, CNC, NRML or MTF.")]


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Flat ones too.")] = False,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what is open, with what it is worth by the newest price."""
    found = [it for it in at_books(account, _worth) if every or it.position.net]
    if as_json:
        show_json([_told(it) for it in found])
        return
    show_table(HEADINGS, [_row(it) for it in found], numbers=NUMBERS)
    for it in found:
        if it.why:
            say(it.why)
    if not found:
        say("Nothing is open.")


async def _worth(house: House, kept: Kept) -> list[Worth]:
    from bahi.bootstrap.looking import worth_at  # noqa: PLC0415 - for who looks

    return await worth_at(house, kept)


@app.command()
def close(
    symbol: SymbolName,
    *,
    exchange: Exchange = None,
    product: Held = "MIS",
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Close a position at the market; what works as an exit of it is taken back first."""
    from bahi.orders.service.aiming import close_position  # noqa: PLC0415 - for who closes

    async def out(house: House, desk: Desk) -> Aim:
        (it,) = await instruments_named(house, [symbol], exchange)
        held = parse_product(product, it.segment)
        return await close_position(desk, it.segment, it.symbol, held)

    aim = at_desk(account, out)
    if as_json:
        show_json({"net": aim.net, "orders": [told_order(it) for it in aim.orders]})
    for order in () if as_json else aim.orders:
        typer.echo(sentence_of(order))
    if not aim.orders:
        say("Nothing was open.")
    if aim.fault is not None:
        raise aim.fault
    if any(it.status is OrderStatus.REJECTED for it in aim.orders):
        raise typer.Exit(1)


@app.command()
def flatten(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent first.")
    ] = False,
    account: AccountOption = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Get out of everything: limits that reach further and further, for as long as it takes."""
    if dry_run:
        _tell_plans(at_desk(account, _plan), as_json=as_json)
        return
    confirm("Get out of every position of the account?", yes=yes)
    found = at_desk(account, _flatten)
    if as_json:
        show_json([_told_flat(it) for it in found])
    else:
        for it in found:
            left = f"{it.left:,} are left: {it.fault}" if it.left else "flat."
            typer.echo(f"{it.key.symbol} ({shown(it.key.product)}): {left}")
        if not found:
            say("Nothing was open.")
    if any(it.left for it in found):
        raise typer.Exit(1)


async def _plan(_: House, desk: Desk) -> list[Planned]:
    from bahi.orders.service.flattening import would_flatten  # noqa: PLC0415 - for who plans

    return await would_flatten(desk)


async def _flatten(_: House, desk: Desk) -> list[Flattened]:
    from bahi.orders.service.flattening import flatten_all  # noqa: PLC0415 - for who gets out

    return await flatten_all(desk)


def _tell_plans(plans: list[Planned], *, as_json: bool) -> None:
    if as_json:
        show_json([_told_plan(it) for it in plans])
        return
    for it in plans:
        at = "at the market" if it.price is None else f"at {grouped(it.price)} or better"
        first = f"cancel {len(it.cancels)} orders, then " if it.cancels else ""
        typer.echo(
            f"{first}{it.side} {it.quantity:,} {it.key.symbol} ({shown(it.key.product)}) {at}"
        )
    say("Nothing was sent." if plans else "Nothing is open.")


@app.command()
def convert(
    symbol: SymbolName,
    quantity: Annotated[int, typer.Argument(min=1, help="How many pieces.")],
    *,
    to: Annotated[str, typer.Option("--to", help="MIS, CNC, NRML or MTF.")],
    product: Held = "MIS",
    exchange: Exchange = None,
    account: AccountOption = None,
) -> None:
    """Hold so much of a position as another product."""
    from bahi.bootstrap.carrying import convert_position  # noqa: PLC0415 - for who converts
    from bahi.portfolio.model.position import Key  # noqa: PLC0415

    async def turn(house: House, desk: Desk) -> str:
        (it,) = await instruments_named(house, [symbol], exchange)
        key = Key(it.segment, it.symbol, parse_product(product, it.segment))
        wanted = parse_product(to, it.segment, field="to")
        done = await convert_position(house, ME, desk.account_id, key, to=wanted, quantity=quantity)
        return f"{abs(done.moves):,} {it.symbol} are held as {shown(done.to)} now."

    typer.echo(at_desk(account, turn))


def _row(it: Worth) -> tuple[str, ...]:
    position = it.position
    return (
        position.key.symbol,
        str(position.key.segment).partition("_")[0],
        shown(position.key.product),
        f"{position.net:,}",
        "" if position.average is None else grouped(position.average),
        "unknown" if it.mark is None else grouped(it.mark.price),
        "unknown" if it.unrealized is None else signed(it.unrealized),
        signed(position.realized),
    )


def signed(amount: int) -> str:
    """Write what was gained or lost, with its sign: who sees no colours sees that."""
    return f"+{grouped(amount)}" if amount > 0 else grouped(amount)


def _told(it: Worth) -> dict[str, Any]:
    position = it.position
    return {
        "segment": position.key.segment,
        "symbol": position.key.symbol,
        "product": position.key.product,
        "net": position.net,
        "average_price": None if position.average is None else plain(position.average),
        "last_price": None if it.mark is None else plain(it.mark.price),
        "source": None if it.mark is None else it.mark.source,
        "value": None if it.value is None else plain(it.value),
        "unrealized": None if it.unrealized is None else plain(it.unrealized),
        "realized": plain(position.realized),
        "margin": plain(position.margin),
        "why": it.why,
    }


def _told_plan(it: Planned) -> dict[str, Any]:
    return {
        **_told_key(it),
        "side": it.side,
        "quantity": it.quantity,
        "price": None if it.price is None else plain(it.price),
        "cancels": [str(order) for order in it.cancels],
    }


def _told_flat(it: Flattened) -> dict[str, Any]:
    return {**_told_key(it), "left": it.left, "fault": it.fault}


def _told_key(it: Planned | Flattened) -> dict[str, Any]:
    segment, symbol, product = it.key
    return {"segment": segment, "symbol": symbol, "product": product}
