"""`bahi risk`: limits and switches, straight on the stores: also while the service is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.market import prices_come_in
from bahi.cli.named import ME, account_named, user_named, when
from bahi.cli.standing import AccountOption, at_books, the_usual
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.errors import Invalid
from bahi.kernel.money import parse_money, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.bootstrap.panic import Stopped
    from bahi.db.tx import Tx
    from bahi.risk.model.control import Held, Switch, Whom
    from bahi.risk.model.limits import Limits
    from bahi.risk.model.violation import Violation

app = typer.Typer(help="Limits and kill switches.", no_args_is_help=True)

MONEY: Final = ("daily_loss", "position_value", "order_value")
COUNTS: Final = ("orders_a_day", "open_orders")
NONE: Final = "none"

Everybody = Annotated[bool, typer.Option("--all", help="Everybody: every account of the house.")]
UserOption = Annotated[str | None, typer.Option("--user", help="All accounts of this user.")]
StrategyOption = Annotated[str | None, typer.Option("--strategy", help="This strategy's orders.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the audit trail.")]
Rupees = Annotated[str | None, typer.Option(help="In rupees, or none.")]
Count = Annotated[str | None, typer.Option(help="How many, or none.")]


@app.command()
def show(*, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show the limits and the switches that bind an account."""
    held, engaged = at_books(account, _binding)
    if as_json:
        show_json(
            {
                "limits": [
                    {"whom": str(whom), "since": when(since), **_told(limits)}
                    for whom, since, limits in held
                ],
                "switches": [_told_switch(it) for it in engaged],
            }
        )
        return
    rows = [
        (name.replace("_", " "), value, whom.scope.lower(), when(since))
        for whom, since, limits in held
        for name, value in _told(limits).items()
        if value is not None
    ]
    show_table(("limit", "is", "for", "since (IST)"), rows)
    for it in engaged:
        say(f"{it.by} stopped entries of {it.whom} at {when(it.since)}: {it.reason}")


async def _binding(
    house: House, kept: Kept
) -> tuple[list[tuple[Whom, datetime, Limits]], list[Switch]]:
    from bahi.bootstrap.risks import engaged, held  # noqa: PLC0415 - for who looks

    account, user = kept.account.id, kept.account.user_id
    now = house.clock()
    limits = [
        (whom, newest.since, newest.limits)
        for whom, many in (await held(house, ME)).items()
        if whom.binds(account, user) and (newest := _newest(many, now)) is not None
    ]
    return limits, [it for it in await engaged(house, ME) if it.whom.binds(account, user)]


@app.command()
def limit(
    *,
    daily_loss: Rupees = None,
    position_value: Rupees = None,
    order_value: Rupees = None,
    orders_a_day: Count = None,
    open_orders: Count = None,
    at_once: Annotated[
        str | None, typer.Option("--at-once", help="Why what is loosened cannot wait a day.")
    ] = None,
    everybody: Everybody = False,
    user: UserOption = None,
    strategy: StrategyOption = None,
    account: AccountOption = None,
) -> None:
    """Hold somebody to limits: tightened at once, loosened from the next day on."""
    said = {
        "daily_loss": daily_loss,
        "position_value": position_value,
        "order_value": order_value,
        "orders_a_day": orders_a_day,
        "open_orders": open_orders,
    }
    changes = {name: _limit(name, it) for name, it in said.items() if it is not None}
    if not changes:
        raise Invalid("Say which limit: --daily-loss, --order-value, --orders-a-day, ...")

    async def change(house: House) -> tuple[Whom, datetime]:
        from bahi.bootstrap.risks import held, hold  # noqa: PLC0415 - for who changes limits
        from bahi.kernel.altered import altered  # noqa: PLC0415
        from bahi.risk.model.limits import NO_LIMITS  # noqa: PLC0415

        whom = await _whom(house, account, user, strategy, everybody=everybody)
        many = (await held(house, ME)).get(whom, [])
        newest = _newest(many, house.clock())
        known = NO_LIMITS if newest is None else newest.limits
        wanted = altered(known, **changes)
        return whom, await hold(house, ME, whom, wanted, at_once=at_once)

    whom, since = in_house(change)
    typer.echo(f"The limits of {whom} hold from {when(since)} on.")


@app.command()
def kill(
    *,
    reason: Reason = "panic",
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Take back all that works, too.")
    ] = False,
    flat: Annotated[bool, typer.Option("--flatten", help="And get out of what is open.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    everybody: Everybody = False,
    user: UserOption = None,
    strategy: StrategyOption = None,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Stop entries, in every process and at once; exits pass. Orders that work go on working."""

    async def stop(house: House) -> dict[str, Any]:
        whom = await _whom(house, account, user, strategy, everybody=everybody)
        if dry_run:
            return await _would_stop(house, whom, flat=flat, cancel=cancel)
        return await _stop(house, whom, reason, cancel=cancel, flat=flat)

    found = in_house(stop)
    if as_json:
        show_json(found)
    else:
        _tell(found, is_left=dry_run or not (cancel or flat))
    if any(it["faults"] for it in found["stopped"]):
        raise typer.Exit(1)


@app.command()
def resume(
    *,
    reason: Reason = "resumed",
    everybody: Everybody = False,
    user: UserOption = None,
    strategy: StrategyOption = None,
    account: AccountOption = None,
) -> None:
    """Let somebody trade again."""

    async def release(house: House) -> Whom:
        from bahi.bootstrap.risks import resume as let_go  # noqa: PLC0415 - for who resumes

        whom = await _whom(house, account, user, strategy, everybody=everybody)
        await let_go(house, ME, whom, reason)
        return whom

    typer.echo(f"Entries of {in_house(release)} are let through again.")


@app.command()
def violations(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the limits that an account ran into, the newest first."""

    async def look(_: House, kept: Kept) -> list[Violation]:
        from bahi.risk.service import violations_of  # noqa: PLC0415 - for who looks

        return await kept.store.read(violations_of, kept.account.id, None, limit, fresh=True)

    found = at_books(account, look)
    if as_json:
        show_json(
            [
                {
                    "id": str(it.id),
                    "at": when(it.at),
                    "type": it.kind,
                    "limit": it.limit_text,
                    "actual": it.actual_text,
                    "order_id": None if it.order_id is None else str(it.order_id),
                    "message": it.message,
                }
                for it in found
            ]
        )
        return
    rows = [(when(it.at), it.kind, it.limit_text, it.actual_text) for it in found]
    show_table(("at (IST)", "what", "limit", "was"), rows)
    if not found:
        say("No limit was run into.")


# Whom it is about


async def _whom(
    house: House, account: str | None, user: str | None, strategy: str | None, *, everybody: bool
) -> Whom:
    """Return who is meant: of several words only a strategy goes with a user."""
    from bahi.risk.model.control import Scope, Whom  # noqa: PLC0415 - for who asks

    if sum((everybody, account is not None, user is not None or strategy is not None)) > 1:
        raise Invalid("Say --all, --account, --user or --strategy; one of them.")
    await house.furnish()
    await house.instruments.catalogue()

    def read(tx: Tx) -> Whom:
        owner = None if user is None else user_named(tx, user).id
        if strategy is not None:
            return Whom(scope=Scope.STRATEGY, user_id=owner, strategy=strategy)
        if owner is not None:
            return Whom(scope=Scope.USER, user_id=owner)
        if everybody:
            return Whom(scope=Scope.GLOBAL)
        meant = the_usual(tx) if account is None else account_named(tx, account)
        return Whom(scope=Scope.ACCOUNT, account_id=meant.id)

    return await house.stores["main"].read(read, fresh=True)


# What stopping does


async def _stop(
    house: House, whom: Whom, reason: str, *, cancel: bool, flat: bool
) -> dict[str, Any]:
    from bahi.bootstrap.panic import stop  # noqa: PLC0415 - for who stops
    from bahi.bootstrap.risks import kill as engage  # noqa: PLC0415

    if not (cancel or flat):
        accounts = await engage(house, ME, whom, reason)
        plans = await _would_stop(house, whom, cancel=True, flat=True)
        return plans | {"accounts": accounts, "is_engaged": True}
    async with prices_come_in(house):
        found = await stop(house, ME, whom, reason, flat=flat)
    return {
        "whom": str(whom),
        "accounts": len(found),
        "is_engaged": True,
        "stopped": [_told_stopped(it) for it in found],
    }


async def _would_stop(house: House, whom: Whom, *, cancel: bool, flat: bool) -> dict[str, Any]:
    """Say what works and what is open of somebody, in the words of what would be sent."""
    from bahi.bootstrap.panic import desks_of  # noqa: PLC0415 - for who plans
    from bahi.orders.service.cancelling import would_cancel  # noqa: PLC0415
    from bahi.orders.service.flattening import would_flatten  # noqa: PLC0415

    stopped = []
    async with prices_come_in(house):
        for desk in await desks_of(house, ME, whom):
            cancels = await would_cancel(desk, strategy=whom.strategy) if cancel or flat else []
            plans = await would_flatten(desk) if flat and whom.strategy is None else []
            stopped.append(
                {
                    "account_id": str(desk.account_id),
                    "cancels": [str(it.id) for it in cancels],
                    "exits": [
                        f"{it.side} {it.quantity} {it.key.symbol}"
                        + ("" if it.price is None else f" at {plain(it.price)} or better")
                        for it in plans
                    ],
                    "faults": [],
                }
            )
    return {
        "whom": str(whom), "accounts": len(stopped), "is_engaged": False, "stopped": stopped
    }  # fmt: skip


def _told_stopped(it: Stopped) -> dict[str, Any]:
    faults = [f"order {each.order_id}: {each.fault}" for each in it.cancelled if each.fault]
    faults += [
        f"{each.left} {each.key.symbol} are left: {each.fault}"
        for each in it.flattened
        if each.left
    ]
    return {
        "account_id": str(it.account_id),
        "cancels": [str(each.order_id) for each in it.cancelled],
        "exits": [str(each.key.symbol) for each in it.flattened],
        "faults": faults,
    }


def _tell(found: dict[str, Any], *, is_left: bool) -> None:
    """Say what was stopped, or would be; what `is_left` works on until somebody takes it back."""
    many = found["accounts"]
    verb = "are" if found["is_engaged"] else "would be"
    accounts = f"{many} account{'s' * (many != 1)}"
    typer.echo(f"Entries of {found['whom']} {verb} stopped ({accounts}); exits pass.")
    for it in found["stopped"]:
        if it["cancels"]:
            typer.echo(f"  account {it['account_id']}: cancel {', '.join(it['cancels'])}")
        for line in it["exits"]:
            typer.echo(f"  account {it['account_id']}: {line}")
        for fault in it["faults"]:
            typer.echo(f"  account {it['account_id']}: {fault}", err=True)
    if is_left and any(it["cancels"] or it["exits"] for it in found["stopped"]):
        say("Nothing of this was sent: --cancel takes these orders back, --flatten gets out too.")


# Limits


def _limit(name: str, said: str) -> int | None:
    if said.strip().casefold() == NONE:
        return None
    if name in MONEY:
        return parse_money(said, name)
    if not said.strip().isdecimal():
        raise Invalid(f"{name}: {said[:20]!r} is no number; write 200, or none.")
    return int(said)


def _newest(many: list[Held], now: datetime) -> Held | None:
    binding = [it for it in many if it.since <= now]
    return max(binding, key=lambda it: (it.since, it.id), default=None)


def _told(limits: Limits) -> Mapping[str, Any]:
    money = {name: None if (it := getattr(limits, name)) is None else plain(it) for name in MONEY}
    return {**money, **{name: getattr(limits, name) for name in COUNTS}}


def _told_switch(it: Switch) -> dict[str, Any]:
    return {"whom": str(it.whom), "by": it.by, "reason": it.reason, "since": when(it.since)}
