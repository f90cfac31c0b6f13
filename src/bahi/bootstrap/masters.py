"""Instrument files on their way into the house: ours, a file, or what a broker publishes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from hashlib import file_digest
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.applications import list_registrations
from bahi.bootstrap.rooms import SCHEDULE, Rooms
from bahi.brokers import masters
from bahi.brokers.openalgo import master as openalgo
from bahi.brokers.reading import pieces_of
from bahi.brokers.wire import NoFile, download
from bahi.brokers.wire.download import SAID_BYTES
from bahi.db.tx import Tx
from bahi.instruments.model.loads import Covers, Load, Wanted
from bahi.instruments.model.shipped import reference_prices, shipped
from bahi.instruments.service.loading import Pieces, Tell, load_master
from bahi.instruments.service.records import is_anything_in_force, unless_others_know_better
from bahi.jobs.service import JobContext
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, NotFound
from bahi.kernel.listings import Listing, Skipped
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug, Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve

FETCHED: Final = (
    BrokerSlug.UPSTOX,
    BrokerSlug.KITE,
    BrokerSlug.DHAN,
    BrokerSlug.BREEZE,
    BrokerSlug.OPENALGO,
)
SHIPPED: Final = "the small master that comes with Bahi"


class Told(NamedTuple):
    """Who is told how far a file is: its bytes while it comes, then its lines."""

    bytes: Callable[[int, int | None], object]
    lines: Tell


NOBODY: Final = Told(lambda _came, _of: None, lambda _line: None)


async def furnish_instruments(house: Rooms) -> None:
    """Enter the small master where there is none, so that a newcomer finds something to trade."""
    main = house.stores["main"]
    if not await main.read(is_anything_in_force, BrokerSlug.PAPER, fresh=True):
        await load_shipped(house, the_house("first start"))


async def load_shipped(house: Rooms, actor: Actor) -> Load:
    """Load the small master as it is today; yesterday's contracts end."""
    days, day = await house.calendar.days(), exchange_day(house.clock())

    def shift(segment: Segment, nominal: date) -> date:
        return days.expiry_day(segment, nominal)

    wanted = Wanted(
        broker=BrokerSlug.PAPER,
        source=SHIPPED,
        day=day,
        is_checked=True,
        covers=Covers.ALL_THERE_IS,
    )
    listings = list(shipped(day, shift, await _levels(house)))
    main = house.stores["main"]
    ours = await main.read(unless_others_know_better, BrokerSlug.PAPER, listings, fresh=True)
    return await load_master(main, actor, wanted, _at_once(ours), house.clock)


async def _levels(house: Rooms) -> dict[str, Price]:
    """Return where the market stands, so that chains are laid out around it."""
    levels = reference_prices()
    if house.prices.market is not None:
        market, catalogue = await house.prices.market.now(), await house.instruments.catalogue()
        for segment in (Segment.NSE_INDEX, Segment.BSE_INDEX):
            for root in levels:
                index = catalogue.find(root, segment)
                if index and (quote := market.quote(index, house.clock())):
                    levels[root] = quote.last
    return levels


async def _at_once(listings: Sequence[Listing]) -> AsyncIterator[Sequence[Listing]]:
    yield listings


async def load_file(
    house: Rooms, actor: Actor, wanted: Wanted, file: Path, tell: Tell = lambda _line: None
) -> Load:
    """Load a broker's file from disk."""
    if not wanted.sha256:
        wanted = replace(wanted, sha256=await asyncio.to_thread(_digest, file))
    pieces = pieces_of(wanted.broker, file)
    return await load_master(house.stores["main"], actor, wanted, pieces, house.clock, tell=tell)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


async def load_published(
    house: Rooms,
    actor: Actor,
    broker: BrokerSlug,
    address: str = "",
    *,
    wanted: Wanted | None = None,
    told: Told = NOBODY,
) -> Load:
    """Fetch a broker's file and load it: from an address, or from where the broker publishes it."""
    if broker is BrokerSlug.OPENALGO and not urlsplit(address).path.strip("/"):
        return await _load_of_host(house, actor, wanted or _wanted(broker, address), told)
    if not address:
        address = await house.config.get("instruments", f"{broker}_source")
    published = masters()[broker].addresses
    where = address or (published[0] if published else "")
    if not where:
        raise NotFound(f"{broker} publishes no instrument file; name a file or an address.")
    if not urlsplit(where).scheme:
        shown = wanted or _wanted(broker, where)
        return await load_file(house, actor, shown, Path(where), told.lines)
    with room_for_files(house) as folder:
        digest = await download(where, folder / "master", tell=told.bytes)
        shown = replace(wanted or _wanted(broker, where.partition("?")[0]), sha256=digest)
        return await load_file(house, actor, shown, folder / "master", told.lines)


def _wanted(broker: BrokerSlug, source: str) -> Wanted:
    return Wanted(broker=broker, source=source or str(broker))


@contextmanager
def room_for_files(house: Rooms) -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="masters-", dir=house.settings.home) as folder:
        yield Path(folder)


# An OpenAlgo host answers for one exchange at a time, and wants the key of a registered application


async def _load_of_host(house: Rooms, actor: Actor, wanted: Wanted, told: Told) -> Load:
    host, key = await host_with_key(house, wanted.source)
    with room_for_files(house) as folder:
        files, without = [], []
        for exchange in openalgo.SEGMENTS:
            query = {**openalgo.asked(exchange), "apikey": key}
            if await _is_listed(host, query, folder / exchange, told):
                files.append(folder / exchange)
            else:
                without.append(Skipped(0, exchange, "the host lists nothing of this exchange"))
        pieces = _one_by_one(without, files)
        named = replace(wanted, source=host)
        main = house.stores["main"]
        return await load_master(main, actor, named, pieces, house.clock, tell=told.lines)


async def _is_listed(host: str, query: Mapping[str, str], to: Path, told: Told) -> bool:
    """Fetch one exchange; return whether the host's broker has it at all."""
    try:
        await download(host + openalgo.PATH, to, query=query, tell=told.bytes)
    except NoFile as no:
        if openalgo.lists_nothing(no.status, no.said):
            return False
        raise
    with to.open("rb") as file:
        head = file.read(SAID_BYTES)
    return not openalgo.lists_nothing(HTTPStatus.OK, head)


async def _one_by_one(without: Sequence[Skipped], files: Sequence[Path]) -> Pieces:
    if without:
        yield without
    for file in files:
        async for piece in pieces_of(BrokerSlug.OPENALGO, file):
            yield piece


async def host_with_key(house: Rooms, wished: str) -> tuple[str, str]:
    """Return a registered host and its key."""
    wished = wished.rstrip("/")
    found = await house.stores["main"].read(_hosts, fresh=True)
    for host, api_id in found:
        if wished in {host, "", BrokerSlug.OPENALGO}:
            return host, (await house.tokens.current(api_id)).tokens["access"]
    raise NotFound(
        f"No account is registered at the OpenAlgo host {wished}; register it, so that its key is "
        "known."
        if wished and wished != BrokerSlug.OPENALGO
        else "No account is registered at an OpenAlgo host."
    )


def _hosts(tx: Tx) -> list[tuple[str, int]]:
    return [
        (str(account.host_url).rstrip("/"), registration.id)
        for account in list_accounts(tx, the_house("masters"))
        if account.broker is BrokerSlug.OPENALGO and account.is_active and account.host_url
        for registration in list_registrations(tx, account.id)[:1]
    ]


async def brokers_in_use(house: Rooms) -> set[BrokerSlug]:
    """Return the brokers at which there is an active account."""
    accounts = await house.stores["main"].read(list_accounts, the_house("masters"), fresh=True)
    return {account.broker for account in accounts if account.is_active}


async def renew_masters(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Renew the small master, and fetch the file of every broker that an account is at."""
    done = {str(BrokerSlug.PAPER): (await load_shipped(house, SCHEDULE)).lines}
    brokers = [it for it in FETCHED if it in await brokers_in_use(house)]
    for place, broker in enumerate(brokers):
        await context.progress(int(100 * place / len(brokers)), f"fetching {broker}")
        topic = f"master:{broker}"
        try:
            done[str(broker)] = (await load_published(house, SCHEDULE, broker)).lines
        except BahiError as fault:
            cause = Cause(
                severity=Severity.CRITICAL,
                source="instruments",
                message=f"The master of {broker} was not renewed: {fault}",
                topic=topic,
            )
            await house.stores["main"].write(raise_alert, cause, house.clock())
        else:
            await house.stores["main"].write(resolve, topic, house.clock())
    return done
