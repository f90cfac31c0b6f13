"""`bahi risk kill` and `resume`: straight on the stores, also while the service is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.market import prices_come_in
from bahi.cli.named import ME
from bahi.cli.standing import AccountOption
from bahi.cli.terminal import AsJson, in_house, say, show_json
from bahi.cli.whom import Everybody, StrategyOption, UserOption, whom_meant
from bahi.kernel.money import plain

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.panic import Stopped
    from bahi.risk.model.control import Whom

app = typer.Typer()

Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the audit trail.")]


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
        whom = await whom_meant(house, account, user, strategy, everybody=everybody)
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

        whom = await whom_meant(house, account, user, strategy, everybody=everybody)
        await let_go(house, ME, whom, reason)
        return whom

    typer.echo(f"Entries of {in_house(release)} are let through again.")


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
