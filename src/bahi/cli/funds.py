"""`bahi funds`: what an account has to trade with, its ledger, its trades, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.position import signed
from bahi.cli.standing import AccountOption, at_books
from bahi.cli.terminal import AsJson, say, show_json, show_table
from bahi.kernel.clock import IST, exchange_day
from bahi.kernel.money import Money, grouped, plain
from bahi.kernel.names import shown

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.portfolio.model.book import Book
    from bahi.portfolio.model.recorded import Dealt, Held, LedgerLine

app = typer.Typer(
    help="Money: what there is to trade with, the ledger, trades and holdings.",
    invoke_without_command=True,
)

Limit = Annotated[int, typer.Option("--limit", min=1, max=500)]


@app.callback()
def funds(
    context: typer.Context, *, account: AccountOption = None, as_json: AsJson = False
) -> None:
    """Show what an account has to trade with now, and what stops it."""
    if context.invoked_subcommand is not None:
        return
    book, name, open_ = at_books(account, _page)
    stops = book.stopped_by(None)
    if as_json:
        show_json(
            {
                "account": name,
                "account_id": str(book.account_id),
                "mode": book.mode,
                "cash": plain(book.cash),
                "margin_used": plain(book.margin_used),
                "available": plain(book.available),
                "realized_today": plain(book.realized_today),
                "unrealized": None if open_ is None else plain(open_),
                "orders_today": book.orders_today,
                "open_orders": book.open_orders,
                "stopped_by": stops,
            }
        )
        return
    rows = [
        ("cash", grouped(book.cash)),
        ("blocked as margin", grouped(book.margin_used)),
        ("free for orders", grouped(book.available)),
        ("made today", signed(book.realized_today)),
        ("open P&L", "unknown" if open_ is None else signed(open_)),
        ("orders today", f"{book.orders_today:,}"),
        ("orders that work", f"{book.open_orders:,}"),
    ]
    show_table((f"{name} ({book.mode})", "rupees"), rows, numbers=("rupees",))
    if stops:
        say(f"Entries are stopped by {stops}: {book.kill_reason}")


async def _page(house: House, kept: Kept) -> tuple[Book, str, Money | None]:
    from bahi.bootstrap.looking import worth_at  # noqa: PLC0415 - for who looks
    from bahi.portfolio.model.worth import unrealized  # noqa: PLC0415
    from bahi.portfolio.service.books import page_of  # noqa: PLC0415

    book = await kept.store.read(page_of, kept.account.id, fresh=True)
    is_open = unrealized(await worth_at(house, kept))
    return book.on(exchange_day(house.clock())), kept.account.name, is_open


@app.command()
def ledger(*, limit: Limit = 50, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show the newest lines of the ledger: what came and went, and what there was after it."""

    async def look(_: House, kept: Kept) -> list[LedgerLine]:
        from bahi.portfolio.service.looking import ledger_of  # noqa: PLC0415 - for who looks

        return await kept.store.read(ledger_of, kept.account.id, None, limit, fresh=True)

    found = at_books(account, look)
    if as_json:
        show_json([_told_line(it) for it in found])
        return
    rows = [
        (
            str(it.day),
            it.particulars,
            signed(it.amount),
            "" if it.balance is None else grouped(it.balance),
        )
        for it in found
    ]
    show_table(("day", "what", "rupees", "balance"), rows, numbers=("rupees", "balance"))


@app.command()
def trades(*, limit: Limit = 50, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show the newest trades, with what they cost."""

    async def look(house: House, kept: Kept) -> list[Dealt]:
        from bahi.portfolio.service.as_of import trades_as_of  # noqa: PLC0415 - for who looks

        now = house.clock()
        page = await kept.store.read(trades_as_of, kept.account.id, now, None, limit, fresh=True)
        return page.trades

    found = at_books(account, look)
    if as_json:
        show_json([_told_trade(it) for it in found])
        return
    rows = [
        (
            it.traded_at.astimezone(IST).strftime("%d %b %H:%M:%S"),
            str(it.side),
            f"{it.quantity:,}",
            it.key.symbol,
            shown(it.key.product),
            grouped(it.price),
            grouped(it.charges),
        )
        for it in found
    ]
    headings = ("at (IST)", "side", "qty", "symbol", "as", "price", "charges")
    show_table(headings, rows, numbers=("qty", "price", "charges"))
    if not found:
        say("No trades yet.")


@app.command()
def holdings(*, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show the shares that are held for delivery, as they were settled."""

    async def look(_: House, kept: Kept) -> list[Held]:
        from bahi.portfolio.service.looking import holdings_of  # noqa: PLC0415 - for who looks

        return await kept.store.read(holdings_of, kept.account.id, fresh=True)

    found = at_books(account, look)
    if as_json:
        show_json([_told_held(it) for it in found])
        return
    rows = [
        (
            it.symbol,
            f"{it.total:,}",
            f"{it.coming:,}",
            f"{it.pledged:,}",
            "" if it.average is None else grouped(it.average),
            grouped(it.cost),
        )
        for it in found
    ]
    headings = ("symbol", "held", "coming", "pledged", "average", "cost")
    show_table(headings, rows, numbers=headings[1:])
    if not found:
        say("No shares are held; what was bought today is a position until it is settled.")


def _told_line(it: LedgerLine) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "day": str(it.day),
        "kind": it.kind,
        "particulars": it.particulars,
        "amount": plain(it.amount),
        "balance": None if it.balance is None else plain(it.balance),
    }


def _told_trade(it: Dealt) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "order_id": None if it.order_id is None else str(it.order_id),
        "segment": it.key.segment,
        "symbol": it.key.symbol,
        "product": it.key.product,
        "side": it.side,
        "quantity": it.quantity,
        "price": plain(it.price),
        "charges": plain(it.charges),
        "net": plain(it.net),
        "traded_at": it.traded_at.astimezone(IST).isoformat(),
    }


def _told_held(it: Held) -> dict[str, Any]:
    return {
        "segment": it.segment,
        "symbol": it.symbol,
        "total": it.total,
        "delivered": it.delivered,
        "coming": it.coming,
        "pledged": it.pledged,
        "average_price": None if it.average is None else plain(it.average),
        "cost": plain(it.cost),
    }
