"""The book of tokens as the sources name its functions, on both databases; procedures on one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bahi.accounts.service.applications import list_registrations
from bahi.bootstrap import House
from bahi.db.opening import Database, transaction
from bahi.db.tx import Tx
from bahi.kernel.clock import StoppedClock, SystemClock
from bahi.kernel.ports import Grant
from bahi.kernel.words import BrokerSlug, TokenState
from bahi.tokens.service import book
from bahi.tokens.service.status import status_of
from tests.living import MORNING
from tests.tokens.mornings import WHO, a_house, furnished, settings

UPSTOX = BrokerSlug.UPSTOX


def store(tx: Tx, house: House, account: int, life: timedelta, secret: str = "tok-1") -> int:
    """Store a token for the first application; return the application's id."""
    api = list_registrations(tx, account)[0]
    now = house.clock()
    grant = Grant(
        tokens={"access": secret, "feed": "feed-1"}, expires_at=now + life, broker_user_id="U1"
    )
    book.store_grant(
        tx, WHO, house.vault, api.id, grant, account_id=account, broker=UPSTOX, now=now
    )
    return api.id


def test_sessions_are_saved_found_updated_retired_and_cleaned_up(home: dict[str, str]) -> None:
    async def whole() -> None:
        clock = StoppedClock(MORNING)
        house = a_house(settings(home, "http://127.0.0.1:9"), clock)
        try:
            await story(house, await furnished(house), clock)
        finally:
            await house.close()

    async def story(house: House, account: int, clock: StoppedClock) -> None:
        main = house.stores["main"]
        assert await main.read(book.get_active_session, UPSTOX, clock(), fresh=True) is None
        api = await main.write(store, house, account, timedelta(hours=1))
        active = await main.read(book.get_active_session, UPSTOX, clock(), fresh=True)
        assert active is not None
        assert active[1] == account
        await main.write(update, house, account)
        parts = await main.read(parts_of, house, api, fresh=True)
        assert parts == {"access": "tok-2", "feed": "feed-1"}
        assert len(await main.read(book.history, api, fresh=True)) == 2
        clock.advance(timedelta(hours=25))
        assert await main.read(book.get_active_session, UPSTOX, clock(), fresh=True) is None
        (found,) = await status_of(house.login_desk, WHO)
        assert found.tokens[0].state is TokenState.EXPIRED
        assert await main.write(book.cleanup_expired, clock()) == 1
        assert await main.write(book.cleanup_expired, clock()) == 0
        await main.write(store, house, account, timedelta(hours=1), "tok-3")
        assert await main.write(book.deactivate, WHO, api, clock())
        assert not await main.write(book.deactivate, WHO, api, clock())

    asyncio.run(whole())


def update(tx: Tx, house: House, account: int) -> None:
    api = list_registrations(tx, account)[0]
    book.update_token(
        tx, WHO, house.vault, api, {"access": "tok-2"}, now=house.clock(), broker=UPSTOX
    )


def parts_of(tx: Tx, house: House, api: int) -> dict[str, str]:
    token = book.active_token(tx, api)
    assert token is not None
    return book.open_token(tx, house.vault, token)


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
def test_the_procedures_of_the_sources_work_by_their_names(home: dict[str, str]) -> None:
    async def whole() -> None:
        house = a_house(settings(home, "http://127.0.0.1:9"), SystemClock())  # type: ignore[arg-type]
        try:
            account = await furnished(house)
            api = await house.stores["main"].write(store, house, account, timedelta(hours=1))
            await asyncio.to_thread(call, house, api)
            parts = await house.stores["main"].read(parts_of, house, api, fresh=True)
            assert parts == {"access": "by procedure"}
        finally:
            await house.close()

    asyncio.run(whole())


def call(house: House, api: int) -> None:
    place = {"table": "broker_tokens", "column": "access_token_enc", "row_id": 77}
    sealed = house.vault.seal("by procedure", **place)  # type: ignore[arg-type]
    database = Database("main", house.settings.urls["main"])
    with database.opened() as core:
        with transaction(core):
            active = core.execute(sa.text("SELECT * FROM sp_GetActiveSession('upstox')")).one()
            assert active.service_type == "upstox"
            new = sa.text("SELECT sp_UpdateAuthSession(77, :api, :token, NULL, NULL, NULL, NULL)")
            assert core.execute(new, {"api": api, "token": sealed}).scalar_one() == 77
        with transaction(core):
            again = core.execute(sa.text("SELECT id FROM sp_GetActiveSession('upstox')")).one()
            assert again.id == 77
            core.execute(sa.text("UPDATE broker_tokens SET expires_at = 1 WHERE id = 77"))
            assert core.execute(sa.text("SELECT sp_CleanupExpiredSessions()")).scalar_one() == 1
            core.execute(
                sa.text("UPDATE broker_tokens SET is_active = 1, expires_at = NULL WHERE id = 77")
            )
