"""Each broker's morning from end to end, in a house, against its server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bahi.accounts.service.accounts import add_account
from bahi.accounts.service.addresses import add_egress, bind
from bahi.accounts.service.applications import Secrets, new_notifier, register
from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.db.tx import Tx
from bahi.kernel.clock import IST, StoppedClock
from bahi.kernel.errors import NotFound
from bahi.kernel.ports import Application, LoginFailed
from bahi.kernel.words import BrokerSlug, TokenMode, TokenRunStatus, TokenState
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from bahi.tokens.model import Run
from bahi.tokens.service.status import status_of
from tests.brokers.simulators import (
    BreezeSimulator,
    DhanSimulator,
    KiteSimulator,
    OpenAlgoSimulator,
    Simulator,
    UpstoxSimulator,
    person_logs_in,
)
from tests.living import MORNING
from tests.tokens.mornings import WHO, a_house, settings

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
Story = Callable[[House, int, Any], Awaitable[None]]


def application(broker: BrokerSlug) -> Application:
    return Application(
        client_id=f"{broker}-client",
        secret=f"{broker}-secret",
        redirect_uri=f"http://127.0.0.1:8000/auth/callback/{broker}",
        broker_user_id="1000000001",
        pin="111111" if broker is BrokerSlug.DHAN else "",
        totp=TOTP if broker is BrokerSlug.DHAN else "",
    )


SIMULATORS: dict[BrokerSlug, tuple[type[Simulator], str]] = {
    BrokerSlug.KITE: (KiteSimulator, "api page"),
    BrokerSlug.UPSTOX: (UpstoxSimulator, "api"),
    BrokerSlug.DHAN: (DhanSimulator, "api auth"),
    BrokerSlug.BREEZE: (BreezeSimulator, "api"),
    BrokerSlug.OPENALGO: (OpenAlgoSimulator, ""),
}


def live(home: dict[str, str], broker: BrokerSlug, story: Story) -> None:
    kind, names = SIMULATORS[broker]
    with kind([application(broker)], StoppedClock(MORNING)) as server:
        known = settings(home, server.url, broker, names)
        if isinstance(server, KiteSimulator):
            known = replace(known, brokers=f"kite.api={server.url} kite.page={server.page}")

        async def whole() -> None:
            house = a_house(known, StoppedClock(MORNING))
            try:
                await house.furnish()
                account = await house.stores["main"].write(enter, house, broker, server.url)
                await story(house, account, server)
            finally:
                await house.close()

        asyncio.run(whole())


def enter(tx: Tx, house: House, broker: BrokerSlug, url: str) -> int:
    now, it = house.clock(), application(broker)
    account = add_account(
        tx,
        WHO,
        broker,
        {"name": f"At {broker}", "host_url": url, "broker_user_id": it.broker_user_id},
        now,
        user_id=admin_of(tx).id,
    )
    register(
        tx,
        WHO,
        house.vault,
        account.id,
        now,
        secrets_=Secrets(secret=it.secret, pin=it.pin or None, totp=it.totp or None),
        client_id=it.client_id,
        redirect_uri=it.redirect_uri,
    )
    return account.id


async def by_hand(house: House, account: int, broker: BrokerSlug) -> Run:
    run = await house.runs.begin(WHO, account, TokenMode.ALL)

    async def person(handed: Any) -> None:
        answer = person_logs_in(await house.handing.address_for(handed))
        await house.handing.answer(broker, handed.state, answer, WHO)

    return await house.runs.drive(run.execution_id, ask=person)


ENDS = {
    BrokerSlug.KITE: "2036-11-25 06:00:00",
    BrokerSlug.UPSTOX: "2036-11-25 03:30:00",
    BrokerSlug.BREEZE: "2036-11-25 00:00:00",
}


@pytest.mark.parametrize("broker", ENDS)
def test_a_person_logs_in_and_the_token_ends_by_the_brokers_rule(
    home: dict[str, str], broker: BrokerSlug
) -> None:
    async def story(house: House, account: int, server: Simulator) -> None:
        run = await by_hand(house, account, broker)
        assert run.status is TokenRunStatus.COMPLETED
        (found,) = await status_of(house.login_desk, WHO)
        (token,) = found.tokens
        assert token.state is TokenState.VALID, token.why
        assert token.expires_at is not None
        assert f"{token.expires_at.astimezone(IST):%Y-%m-%d %H:%M:%S}" == ENDS[broker]

    live(home, broker, story)


@pytest.mark.parametrize("broker", [BrokerSlug.DHAN, BrokerSlug.OPENALGO])
def test_what_can_log_in_alone_needs_nobody(home: dict[str, str], broker: BrokerSlug) -> None:
    async def story(house: House, account: int, server: Simulator) -> None:
        run = await house.runs.begin(WHO, account, TokenMode.INVALID_ONLY)
        ended = await house.runs.drive(run.execution_id)
        (found,) = await status_of(house.login_desk, WHO)
        assert ended.status is TokenRunStatus.COMPLETED, found.tokens[0].why
        (found,) = await status_of(house.login_desk, WHO)
        assert found.tokens[0].state is TokenState.VALID, found.tokens[0].why
        assert (found.tokens[0].expires_at is None) == (broker is BrokerSlug.OPENALGO)

    live(home, broker, story)


def test_how_long_a_breeze_session_lives_is_a_setting(home: dict[str, str]) -> None:
    async def story(house: House, account: int, server: Simulator) -> None:
        wish = Wish(category="tokens", key="breeze_expiry", value="24h")
        await house.stores["main"].write(set_config, house.vault, WHO, wish, house.clock())
        await by_hand(house, account, BrokerSlug.BREEZE)
        (found,) = await status_of(house.login_desk, WHO, check=False)
        token = found.tokens[0]
        assert token.expires_at is not None
        assert token.generated_at is not None
        assert (token.expires_at - token.generated_at).total_seconds() == 24 * 3600

    live(home, BrokerSlug.BREEZE, story)


def test_upstox_asks_its_user_in_the_app_and_posts_the_token(home: dict[str, str]) -> None:
    async def story(house: House, account: int, server: UpstoxSimulator) -> None:
        main = house.stores["main"]
        (found,) = await status_of(house.login_desk, WHO, check=False)
        digest = house.vault.digest("secret-path", "notifier")
        await main.write(new_notifier, WHO, found.tokens[0].api_id, digest, house.clock())
        run = await house.runs.begin(WHO, account, TokenMode.ALL)
        waiting = await house.runs.drive(run.execution_id)
        assert waiting.status is TokenRunStatus.WAITING
        assert any("token/request" in asked.path for asked in server.requests)
        payload = server.approve("upstox-client")
        with pytest.raises(NotFound):
            await house.handing.notified("another-path", payload)
        with pytest.raises(LoginFailed):
            await house.handing.notified("secret-path", {**payload, "client_id": "another"})

    live(home, BrokerSlug.UPSTOX, story)


def test_a_posted_token_ends_the_wait(home: dict[str, str]) -> None:
    async def story(house: House, account: int, server: UpstoxSimulator) -> None:
        main = house.stores["main"]
        (found,) = await status_of(house.login_desk, WHO, check=False)
        digest = house.vault.digest("secret-path", "notifier")
        await main.write(new_notifier, WHO, found.tokens[0].api_id, digest, house.clock())
        run = await house.runs.begin(WHO, account, TokenMode.ALL)
        await house.runs.drive(run.execution_id)
        await house.handing.notified("secret-path", server.approve("upstox-client"))
        assert (await house.runs.run(run.execution_id)).status is TokenRunStatus.COMPLETED
        (found,) = await status_of(house.login_desk, WHO)
        assert found.tokens[0].state is TokenState.VALID

    live(home, BrokerSlug.UPSTOX, story)


def test_every_call_of_an_account_leaves_from_its_address(home: dict[str, str]) -> None:
    async def story(house: House, account: int, server: Simulator) -> None:
        def bound(tx: Tx) -> None:
            egress = add_egress(tx, WHO, "127.0.0.2", house.clock())
            bind(tx, WHO, account, egress.id, house.clock())

        await house.stores["main"].write(bound)
        server.requests.clear()
        run = await house.runs.begin(WHO, account, TokenMode.ALL)
        await house.runs.drive(run.execution_id)
        assert server.requests
        assert {asked.peer for asked in server.requests} == {"127.0.0.2"}

    live(home, BrokerSlug.DHAN, story)


def test_a_revoked_token_is_ended_at_the_broker_too(home: dict[str, str]) -> None:
    async def story(house: House, account: int, server: UpstoxSimulator) -> None:
        await by_hand(house, account, BrokerSlug.UPSTOX)
        (found,) = await status_of(house.login_desk, WHO)
        assert len(server.tokens) == 1
        assert await house.login_desk.revoke(WHO, found.tokens[0].api_id)
        assert server.tokens == {}
        (after,) = await status_of(house.login_desk, WHO)
        assert after.tokens[0].state is TokenState.MISSING
        assert not await house.login_desk.revoke(WHO, found.tokens[0].api_id)

    live(home, BrokerSlug.UPSTOX, story)
