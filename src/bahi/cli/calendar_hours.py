"""`bahi calendar set-hours, set-auction` and back: the hours of weekdays, and auctions' rules."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.calendar_named import (
    ALL,
    Day,
    OneSegment,
    Segments,
    day_of,
    days_of,
    markets_of,
    named,
)
from bahi.cli.named import ME
from bahi.cli.terminal import AsJson, Yes, confirm, in_house, say, show_json, show_table
from bahi.kernel.errors import Invalid

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.kernel.words import Segment

PER_PERCENT: Final = 10_000

From = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="From when on; without it, today.")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Its last day; without it, for good.")
]
Entered = Annotated[str, typer.Option("--from", metavar="DAY", help="As it was entered.")]
Source = Annotated[str, typer.Option(help="Who says so.")]
Verified = Annotated[bool, typer.Option("--verified", help="It is confirmed.")]


def set_hours(
    weekdays: Annotated[str, typer.Argument(help="mon-fri; or sat; or mon,wed.")],
    segment: Segments,
    *,
    source: Source,
    sessions: Annotated[str, typer.Option(help="Trading: 09:15-15:30.")] = "",
    pre_open: Annotated[str, typer.Option(help="09:00-09:15.")] = "",
    closing_auction: Annotated[str, typer.Option(help="15:15-15:35.")] = "",
    post_close: Annotated[str, typer.Option(help="15:50-16:00.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="There is no trading on them.")] = False,
    us_daylight: Annotated[
        bool | None,
        typer.Option(
            "--us-daylight/--us-winter",
            help="Only while New York has daylight time, or has not; without it, always.",
        ),
    ] = None,
    since: From = None,
    until: Until = None,
    verified: Verified = False,
) -> None:
    """Enter from when on weekdays have other hours; what came with Bahi gives way."""
    markets, wanted = markets_of(segment), _weekdays(weekdays)
    said = {
        "sessions": _words(sessions),
        "pre_open": _words(pre_open),
        "closing_auction": _words(closing_auction),
        "post_close": _words(post_close),
    }
    if closed == any(said.values()):
        raise Invalid("Say one of both: the hours, with --sessions, or --closed.")

    async def enter(house: House) -> tuple[Segment, ...]:
        from bahi.calendar.model import Weekly, hours_of  # noqa: PLC0415
        from bahi.calendar.service import set_hours as enter_hours  # noqa: PLC0415

        await house.furnish()
        facts = [
            Weekly(
                segment=it,
                weekday=weekday,
                sessions=hours_of(said),
                valid_from=day_of(since, house),
                valid_until=None if until is None else day_of(until, house),
                us_daylight=us_daylight,
                source=source,
                is_verified=verified,
            )
            for it in markets
            for weekday in wanted
        ]
        return await house.stores["main"].write(enter_hours, ME, facts, house.clock())

    entered = in_house(enter)
    typer.echo(f"The hours of {weekdays} are entered for {named(entered)}.")


def remove_hours(segment: Segments, since: Entered, *, yes: Yes = False) -> None:
    """Take back hours that a person entered: what was so before is so again."""
    from bahi.calendar.service import remove_hours as forget  # noqa: PLC0415

    _remove(forget, "the hours", segment, since, yes=yes)


def auction(day: Day = None, *, segment: OneSegment = ALL, as_json: AsJson = False) -> None:
    """Show the rules of the closing auctions of a day."""
    from bahi.calendar.service.hours import rules_told  # noqa: PLC0415

    markets = markets_of(segment)

    async def look(house: House) -> list[dict[str, Any]]:
        days, wanted = await days_of(house), day_of(day, house)
        found = ((it, days.auction_rules(it, wanted)) for it in markets)
        return [{"segment": it, **rules_told(rules)} for it, rules in found if rules is not None]

    found = in_house(look)
    if as_json:
        show_json(found)
    elif not found:
        say(f"No closing auction is known of {named(markets)} on that day.")
    else:
        names = [it for it in found[0] if it not in {"segment", "source"}]
        for it in found:
            rows = [(name.replace("_", " "), _shown(it[name])) for name in names]
            show_table((str(it["segment"]), it["source"]), rows)


def set_auction(
    segment: Segments,
    order_types: Annotated[str, typer.Option("--order-types", help="LIMIT,MARKET.")],
    *,
    source: Source,
    stops: Annotated[bool, typer.Option("--stops", help="It takes stop orders.")] = False,
    iceberg: Annotated[bool, typer.Option("--iceberg", help="Orders may hide a part.")] = False,
    stops_purged_at: Annotated[
        str | None, typer.Option(help="Stops that wait are cancelled: 15:15.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Whose trades make the reference price: 15:00-15:15.")
    ] = None,
    entry_ends: Annotated[
        str | None, typer.Option(help="Between which entry ends, at random: 15:28-15:30.")
    ] = None,
    collar: Annotated[
        str | None, typer.Option(help="How far from the reference, in percent: 3.")
    ] = None,
    since: From = None,
    until: Until = None,
    verified: Verified = False,
) -> None:
    """Enter the rules of a closing auction from a day on; what came with Bahi gives way.

    Its hours are those of the weekday: see `bahi calendar set-hours --closing-auction`.
    """
    markets = markets_of(segment)

    async def enter(house: House) -> tuple[Segment, ...]:
        from bahi.calendar.model import AuctionRules, parse_hour  # noqa: PLC0415
        from bahi.calendar.service import set_auctions  # noqa: PLC0415

        await house.furnish()
        ends, trades = _while(entry_ends, "--entry-ends"), _while(reference, "--reference")
        rules = [
            AuctionRules(
                segment=it,
                valid_from=day_of(since, house),
                valid_until=None if until is None else day_of(until, house),
                order_types=tuple(_words(order_types.upper())),
                allows_stops=stops,
                allows_iceberg=iceberg,
                stops_purged_at=(
                    None
                    if stops_purged_at is None
                    else parse_hour(stops_purged_at, "--stops-purged-at")
                ),
                reference_from=trades[0],
                reference_to=trades[1],
                entry_ends_from=ends[0],
                entry_ends_by=ends[1],
                collar=_percent(collar),
                source=source,
                is_verified=verified,
            )
            for it in markets
        ]
        return await house.stores["main"].write(set_auctions, ME, rules, house.clock())

    entered = in_house(enter)
    typer.echo(f"The rules of the closing auction are entered for {named(entered)}.")


def remove_auction(segment: Segments, since: Entered, *, yes: Yes = False) -> None:
    """Take back auction rules that a person entered: what was so before is so again."""
    from bahi.calendar.service import remove_auction as forget  # noqa: PLC0415

    _remove(forget, "the rules of the closing auction", segment, since, yes=yes)


def _remove(forget: Any, what: str, segment: str, since: str, *, yes: bool) -> None:
    markets = markets_of(segment)

    async def gone(house: House) -> tuple[Segment, ...]:
        from bahi.calendar.service import Since  # noqa: PLC0415

        await house.furnish()
        wanted = Since(frozenset(markets), day_of(since, house))
        return await house.stores["main"].write(forget, ME, wanted, house.clock())

    confirm(f"Remove {what} entered from {since} on for {named(markets)}?", yes=yes)
    removed = in_house(gone)
    typer.echo(f"Gone: {what} entered from {since} on for {named(removed)}.")


def _weekdays(said: str) -> list[int]:
    from bahi.calendar.service.hours import WEEKDAYS  # noqa: PLC0415

    found: set[int] = set()
    for word in _words(said.lower()):
        first, _, last = word.partition("-")
        ends = [WEEKDAYS.index(it) for it in (first, last or first) if it in WEEKDAYS]
        if len(ends) < 2 or ends[0] > ends[1]:
            raise Invalid(f"{word[:40]!r} is no weekday; write them as mon-fri or mon,wed,sat.")
        found |= set(range(ends[0], ends[1] + 1))
    if not found:
        raise Invalid("No weekday is named; write them as mon-fri or mon,wed,sat.")
    return sorted(found)


def _words(said: str) -> list[str]:
    return said.replace(",", " ").split()


def _while(said: str | None, place: str) -> tuple[Any, Any]:
    from bahi.calendar.model import Phase, spans_of  # noqa: PLC0415

    if said is None:
        return None, None
    (span,) = spans_of([said], Phase.CLOSING_AUCTION, place)
    return span.starts, span.ends


def _percent(said: str | None) -> int | None:
    if said is None:
        return None
    try:
        exact = Decimal(said.removesuffix("%")) * PER_PERCENT
    except InvalidOperation:
        exact = Decimal("0.1")
    if not exact.is_finite() or exact != int(exact):
        raise Invalid(f"--collar: {said[:40]!r} is no percentage; write it as 3 or 2.5.")
    return int(exact)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
