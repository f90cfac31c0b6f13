"""`bahi webhook`: addresses at which alerts of TradingView, Chartink and others become orders."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, account_named, cells, when
from bahi.cli.standing import AccountOption, the_usual
from bahi.cli.terminal import (
    AsJson,
    FromStdin,
    Yes,
    ask_secret,
    confirm,
    in_house,
    say,
    show_json,
    show_table,
)
from bahi.kernel.errors import Invalid
from bahi.kernel.words import parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.strategies.model.webhooks import Alert, Webhook

app = typer.Typer(help="Alerts that become orders.", no_args_is_help=True)

WebhookId = Annotated[int, typer.Argument(metavar="WEBHOOK", min=1, help="Its id.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it; its orders carry it.")],
    *,
    word: Annotated[
        list[str],
        typer.Option("--order", help="A word of its orders: symbol={{ticker}}, quantity=10; more."),
    ],
    source: Annotated[str, typer.Option(help="tradingview, chartink or other.")] = "tradingview",
    address: Annotated[
        list[str] | None, typer.Option("--from", help="Only from here: 203.0.113.7; more.")
    ] = None,
    hours: Annotated[str | None, typer.Option(help="Only within: 09:20-15:00, India's.")] = None,
    repeats: Annotated[
        int, typer.Option(min=0, max=86_400, help="The same again within so many seconds is one.")
    ] = 60,
    signed: Annotated[
        bool, typer.Option("--signed", help="Its alerts are signed; asks for the secret.")
    ] = False,
    from_stdin: FromStdin = False,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Enter a webhook and show its address, this once."""
    from bahi.strategies.model.webhooks import AlertSource, Wished  # noqa: PLC0415 - for who adds
    from bahi.strategies.service import webhooks  # noqa: PLC0415

    opens, closes = _hours(hours)
    wished = Wished(
        name=name,
        source=parse(AlertSource, source, field="source"),
        template=dict(map(_word, word)),
        addresses=tuple(address or ()),
        opens_at=opens,
        closes_at=closes,
        repeats_within_s=repeats,
    )
    path = webhooks.new_path()
    signing = ask_secret("Signing secret", from_stdin=from_stdin) if signed else None

    async def enter(house: House) -> dict[str, Any]:
        await house.furnish()
        digest, now = house.vault.digest(path, webhooks.PATH_PURPOSE), house.clock()

        def write(tx: Tx) -> Webhook:
            meant = the_usual(tx) if account is None else account_named(tx, account)
            what = (meant.id, wished, digest, signing)
            return webhooks.add_webhook(tx, ME, house.vault, what, now)

        made = await house.stores["main"].write(write)
        return {**_told(made), "url": f"{house.settings.address}/hooks/alerts/{path}"}

    made = in_house(enter)
    if as_json:
        show_json(made)
        return
    say(f"Webhook {made['id']}; post alerts to this address, shown this once:")
    typer.echo(made["url"])


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show webhooks; never their addresses."""
    from bahi.strategies.service.webhooks import list_webhooks  # noqa: PLC0415 - for who looks

    async def look(house: House) -> list[dict[str, Any]]:
        found = await house.stores["main"].read(list_webhooks, ME, fresh=True)
        return [_told(it) for it in found]

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    names = ("id", "name", "source", "active", "last_alert_at")
    rows = [cells(*(it[name] for name in names)) for it in found]
    show_table(("id", "name", "source", "active", "last alert (IST)"), rows)


@app.command()
def alerts(
    webhook: WebhookId,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the alerts that came, the newest first, and what became of them."""
    from bahi.strategies.service.webhooks import alerts_of  # noqa: PLC0415 - for who looks

    async def look(house: House) -> list[dict[str, Any]]:
        main = house.stores["main"]
        found = await main.read(alerts_of, ME, webhook, None, limit, fresh=True)
        return [_told_alert(it) for it in found]

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    rows = [cells(it["received_at"], it["status"], it["ip_address"], _said(it)) for it in found]
    show_table(("came (IST)", "status", "from", "what became of it"), rows)


@app.command()
def switch(
    webhook: WebhookId,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Is it listened to?")],
) -> None:
    """Switch a webhook on or off; its address stays."""
    from bahi.strategies.service.webhooks import change_webhook  # noqa: PLC0415 - for who changes

    async def change(house: House) -> str:
        what, now = (None, on), house.clock()
        changed = await house.stores["main"].write(change_webhook, ME, webhook, what, now)
        return changed.name

    typer.echo(f"{in_house(change)} is {'on' if on else 'off'}.")


@app.command()
def remove(webhook: WebhookId, *, yes: Yes = False) -> None:
    """Remove a webhook with its alerts; the address opens nothing any more."""
    from bahi.strategies.service.webhooks import remove_webhook  # noqa: PLC0415 - for who removes

    confirm(f"Remove webhook {webhook} and what came to it?", yes=yes)

    async def go(house: House) -> None:
        await house.stores["main"].write(remove_webhook, ME, webhook, house.clock())

    in_house(go)
    typer.echo(f"Webhook {webhook} opens nothing any more.")


def _word(said: str) -> tuple[str, str]:
    name, sign, value = said.partition("=")
    if not sign or not name.strip():
        raise Invalid(f"order: {said[:40]!r} is no word of an order; write quantity=10.")
    return name.strip(), value


def _hours(said: str | None) -> tuple[time | None, time | None]:
    if said is None:
        return None, None
    begins, _, ends = said.partition("-")
    try:
        return (
            datetime.strptime(begins.strip(), "%H:%M").time(),  # noqa: DTZ007 - an hour alone
            datetime.strptime(ends.strip(), "%H:%M").time(),  # noqa: DTZ007 - likewise
        )
    except ValueError:
        raise Invalid(f"hours: {said[:24]!r} is none; write 09:20-15:00.") from None


def _said(it: dict[str, Any]) -> str:
    orders = it["outcome"] or []
    return it["error_message"] or "; ".join(
        f"{order.get('symbol')}: {order.get('orderid') or order.get('message')}" for order in orders
    )


def _told(it: Webhook) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "name": it.name,
        "account_id": str(it.account_id),
        "source": it.source,
        "template": dict(it.template),
        "addresses": list(it.addresses),
        "hours": None if it.opens_at is None else f"{it.opens_at:%H:%M}-{it.closes_at:%H:%M}",
        "repeats_within_s": it.repeats_within_s,
        "signed": it.is_signed,
        "active": it.is_active,
        "last_alert_at": when(it.last_alert_at),
    }


def _told_alert(it: Alert) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "received_at": when(it.received_at),
        "status": it.status,
        "ip_address": it.ip_address,
        "payload": it.payload,
        "outcome": it.outcome,
        "error_message": it.error_message,
    }
