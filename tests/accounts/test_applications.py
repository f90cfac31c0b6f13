"""Applications, what keys open, and the addresses that calls leave from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.model import UPSTOX_NAMES, Account, Egress, Registration
from bahi.accounts.service import accounts, addresses, applications, keys
from bahi.accounts.service.applications import Secrets
from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey, User
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.words import AccountMode, BrokerSlug, KeyScope, Role
from tests.accounts.test_accounts import add, enter, get
from tests.identity.lives import a_user, as_user, tell
from tests.tokens.mornings import WHO

CANARY = "c4n4ry-of-an-application"
LIVE, PAPER = AccountMode.LIVE, AccountMode.PAPER


async def register(
    house: House,
    account: Account,
    *,
    actor: Actor = WHO,
    secrets_: Secrets = Secrets(secret=CANARY),  # noqa: B008 - frozen
    **given: Any,
) -> Registration:
    wish = {"client_id": "client-1", **given}

    def write(tx: Tx, now: datetime) -> Registration:
        return applications.register(
            tx, actor, house.vault, account.id, now, secrets_=secrets_, **wish
        )

    return await house.stores["main"].write(write, house.clock())


def test_the_six_of_upstox_keep_their_order_however_they_are_entered(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        account = await add(house, await a_user(house), "Upstox", BrokerSlug.UPSTOX)
        for name in reversed(UPSTOX_NAMES):
            await register(house, account, api_name=name.lower())
        listed = await house.stores["main"].read(
            applications.list_registrations, account.id, fresh=True
        )
        assert [it.api_name for it in listed] == list(UPSTOX_NAMES)
        assert [it.api_index for it in listed] == list(range(6))
        assert [it.is_primary for it in listed] == [True, *[False] * 5]
        with pytest.raises(Conflict, match="WEBSOCKET1"):
            await register(house, account, api_name="WebSocket_1")

    tell(home, story)


def test_two_that_are_registered_at_once_take_two_places(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        account = await add(house, await a_user(house), "Kite")
        tries = [register(house, account, api_name=f"APP{n // 2}") for n in range(8)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        made = [it for it in found if isinstance(it, Registration)]
        assert sorted(it.api_index for it in made) == [0, 1, 2, 3]
        assert all("has an application" in str(it) for it in found if isinstance(it, Conflict))

    tell(home, story)


def test_secrets_are_sealed_opened_for_a_login_alone_and_shown_nowhere(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        account = await add(house, await a_user(house), "Dhan", BrokerSlug.DHAN)
        secrets = Secrets(secret=CANARY, pin="773311", totp="JBSWY3DPEHPK3PXPJBSWY3DP")
        made = await register(house, account, secrets_=secrets)
        assert made.has_secret
        assert made.logs_in_alone
        opened = await main.read(applications.opened, house.vault, made.id, fresh=True)
        assert (opened.secret, opened.pin) == (CANARY, "773311")
        new = Secrets(secret=f"{CANARY}-2")
        await main.write(
            lambda tx: applications.change_registration(
                tx, WHO, house.vault, made.id, house.clock(), secrets_=new
            )
        )
        opened = await main.read(applications.opened, house.vault, made.id, fresh=True)
        assert (opened.secret, opened.pin) == (f"{CANARY}-2", "773311")

        def read(tx: Tx) -> str:
            tables = HOUSE.metadata.tables
            rows = [tx.rows(sa.select(tables[it])) for it in ("broker_apis", "audit_trail")]
            return str([[bytes(c) if isinstance(c, memoryview) else c for c in row]
                        for some in rows for row in some])  # fmt: skip

        for text in (await main.read(read, fresh=True), repr(made), repr(secrets), repr(opened)):
            assert CANARY not in text
            assert "773311" not in text

    tell(home, story)


def test_an_application_has_what_its_broker_needs(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, vijay = house.stores["main"], await a_user(house)
        kite = await add(house, vijay, "Kite")
        paper = await add(house, vijay, "Paper", BrokerSlug.PAPER)
        host = await add(house, vijay, "Host", BrokerSlug.OPENALGO)
        for account, given, why in (
            (paper, {}, "paper account"),
            (kite, {"client_id": " "}, "client_id"),
            (kite, {"client_id": "a\0b"}, "client_id"),
            (kite, {"secrets_": Secrets()}, "secret"),
            (kite, {"secrets_": Secrets(secret="  ")}, "secret"),
            (kite, {"redirect_uri": "127.0.0.1"}, "redirect_uri"),
            (host, {"secrets_": Secrets()}, "API key"),
        ):
            with pytest.raises(Invalid, match=why):
                await register(house, account, **given)
        await register(house, host, client_id=None)
        made = await register(house, kite)
        with pytest.raises(Invalid, match="client_id"):
            await main.write(
                lambda tx: applications.change_registration(
                    tx, WHO, house.vault, made.id, house.clock(), client_id=""
                )
            )

    tell(home, story)


def test_anothers_application_is_not_there_and_tells_nothing(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        vijay, asha = await a_user(house), await a_user(house, "asha")
        hers = await register(house, await add(house, asha, "hers"))
        stranger, said = as_user(vijay), set()
        for api_id in (hers.id, hers.id + 1):
            for attempt in (
                main.read(applications.get_registration, stranger, api_id, fresh=True),
                main.write(applications.remove_registration, stranger, api_id, now),
                main.write(applications.new_notifier, stranger, api_id, "0" * 64, now),
            ):
                with pytest.raises(NotFound) as refusal:
                    await attempt
                said.add(str(refusal.value).replace(str(api_id), "?"))
        assert said == {"There is no application ?."}
        await main.write(applications.new_notifier, as_user(asha), hers.id, "0" * 64, now)
        found = await main.read(applications.find_by_notifier, "0" * 64, fresh=True)
        assert found is not None
        assert found.id == hers.id

    tell(home, story)


# What keys open


async def issue(
    house: House,
    user: User,
    scope: KeyScope = KeyScope.TRADE,
    *,
    actor: Actor = WHO,
    opens: Sequence[int] | None = None,
    defaults: Sequence[int] = (),
) -> ApiKey:
    digest = house.vault.digest(new_key(), PURPOSE)

    def write(tx: Tx, now: datetime) -> ApiKey:
        return keys.issue_key(
            tx, actor, digest, now,
            user_id=user.id, name="k", scope=scope, accounts=opens, defaults=defaults,
        )  # fmt: skip

    return await house.stores["main"].write(write, house.clock())


async def opened(house: House, key: ApiKey) -> dict[int, AccountMode | None]:
    return await house.stores["main"].read(keys.accounts_of, key.id, fresh=True)


def test_a_key_reaches_the_accounts_it_was_given_and_no_other(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, vijay = house.stores["main"], await a_user(house)
        first, second = await add(house, vijay, "first"), await add(house, vijay, "second")
        key = await issue(house, vijay, opens=[first.id])
        program = as_user(vijay, scope=KeyScope.TRADE, key_id=key.id)
        assert (await get(house, program, first.id)).id == first.id
        with pytest.raises(NotFound):
            await get(house, program, second.id)
        own = await main.read(accounts.list_accounts, program, fresh=True)
        assert [it.id for it in own] == [first.id]
        only = await main.read(accounts.account_meant, program, BrokerSlug.KITE, None, fresh=True)
        assert only.id == first.id
        with pytest.raises(NotFound):
            await main.read(accounts.account_meant, program, BrokerSlug.KITE, "second", fresh=True)
        await main.write(accounts.delete_account, WHO, second.id, house.clock())
        with pytest.raises(NotFound):
            await main.write(accounts.restore_account, program, second.id, house.clock())
        with pytest.raises(NotFound):
            await main.write(keys.open_with, program, key.id, first.id, house.clock())
        hers = as_user(await a_user(house, "asha"))
        with pytest.raises(NotFound):
            await main.write(keys.open_with, hers, key.id, first.id, house.clock())

    tell(home, story)


def test_an_account_that_a_key_enters_is_opened_for_it_and_for_no_other(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main, vijay, asha = house.stores["main"], await a_user(house), await a_user(house, "asha")
        first = await add(house, vijay, "first")
        key, other = await issue(house, vijay, opens=[first.id]), await issue(house, vijay)
        program = as_user(vijay, scope=KeyScope.TRADE, key_id=key.id)
        live = await add(house, vijay, "second", actor=program)
        paper = await add(house, vijay, "paper", BrokerSlug.PAPER, actor=program)
        assert (await get(house, program, live.id)).id == live.id
        assert await opened(house, key) == {
            first.id: AccountMode.LIVE,
            live.id: None,
            paper.id: AccountMode.PAPER,
        }
        assert live.id not in await opened(house, other)
        trail = await recent(main, WHO, entity_type="api_key", entity_id=str(key.id), limit=2)
        assert [it.new_value for it in trail] == [{"opens": "paper"}, {"opens": "second"}]
        assert {(it.action, it.user_id, it.actor) for it in trail} == {
            ("update", vijay.id, program.name)
        }
        admin = replace(program, role=Role.ADMIN)
        hers = await add(house, asha, "hers", actor=admin)
        assert hers.id not in await opened(house, key)  # a key opens its owner's alone

    tell(home, story)


def test_a_key_of_scope_paper_enters_paper_alone(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        key = await issue(house, vijay, KeyScope.PAPER)
        program = as_user(vijay, scope=KeyScope.PAPER, key_id=key.id)
        with pytest.raises(Forbidden, match="paper"):
            await add(house, vijay, "live", actor=program)
        made = await add(house, vijay, "paper", BrokerSlug.PAPER, actor=program)
        assert made.mode is AccountMode.PAPER
        assert await opened(house, key) == {made.id: AccountMode.PAPER}

    tell(home, story)


def test_a_key_has_one_default_for_each_mode(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, vijay = house.stores["main"], await a_user(house)
        one, two = await add(house, vijay, "one"), await add(house, vijay, "two", is_primary=True)
        paper = await add(house, vijay, "paper", BrokerSlug.PAPER)
        everything = await issue(house, vijay)
        assert await opened(house, everything) == {one.id: None, two.id: LIVE, paper.id: PAPER}
        named = await issue(house, vijay, defaults=[one.id])
        assert await opened(house, named) == {one.id: LIVE, two.id: None, paper.id: PAPER}
        only_paper = await issue(house, vijay, KeyScope.PAPER)
        assert await opened(house, only_paper) == {paper.id: PAPER}
        with pytest.raises(Invalid, match="Two accounts"):
            await issue(house, vijay, defaults=[one.id, two.id])
        with pytest.raises(Invalid, match="not among"):
            await issue(house, vijay, opens=[one.id], defaults=[two.id])
        narrow = await issue(house, vijay, opens=[one.id])
        for _ in range(2):
            await main.write(keys.open_with, as_user(vijay), narrow.id, two.id, house.clock())
        await main.write(keys.open_with, as_user(vijay), narrow.id, paper.id, house.clock())
        assert await opened(house, narrow) == {one.id: LIVE, two.id: None, paper.id: PAPER}

    tell(home, story)


def test_a_key_opens_its_owners_accounts_as_far_as_its_scope(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay, asha = await a_user(house), await a_user(house, "asha")
        hers, his = await add(house, asha, "hers"), await add(house, vijay, "his")
        with pytest.raises(NotFound):
            await issue(house, vijay, actor=as_user(vijay), opens=[hers.id])
        with pytest.raises(Forbidden, match="another user"):
            await issue(house, vijay, opens=[hers.id])
        with pytest.raises(Invalid, match="live"):
            await issue(house, vijay, KeyScope.PAPER, opens=[his.id])

    tell(home, story)


# Addresses


async def enter_address(house: House, address: str, *, declared: bool = False) -> Egress:
    def write(tx: Tx, now: datetime) -> Egress:
        return addresses.add_egress(tx, WHO, address, now, family_declared=declared)

    return await house.stores["main"].write(write, house.clock())


async def bind(
    house: House, account: Account, egress: Egress | None, *, secondary: bool = False
) -> list[str]:
    def write(tx: Tx, now: datetime) -> list[str]:
        wanted = None if egress is None else egress.id
        return addresses.bind(tx, WHO, account.id, wanted, now, secondary=secondary)

    return await house.stores["main"].write(write, house.clock())


def test_an_address_is_bound_shared_and_changed_under_the_brokers_eyes(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        me = await enter(house, vijay, "Vijay", relation="self")
        wife = await enter(house, vijay, "Asha", relation="spouse")
        friend = await enter(house, vijay, "Ravi", relation="other")
        declared = await enter_address(house, "10.0.0.7", declared=True)
        private = await enter_address(house, "10.0.0.8")
        mine = await add(house, vijay, "mine", person_id=me.id)
        hers = await add(house, vijay, "hers", person_id=wife.id)
        his = await add(house, vijay, "his", person_id=friend.id)
        upstox = await add(house, vijay, "her other", BrokerSlug.UPSTOX, person_id=wife.id)
        assert await bind(house, mine, declared) == []
        assert await bind(house, hers, declared) == []
        assert len(await bind(house, his, declared)) == 2
        found = await bind(house, upstox, declared)  # with her own account she may
        assert ["no two customers" in it for it in found] == [True, True]
        assert await bind(house, mine, declared) == []  # as it is: no change
        (soon,) = await bind(house, mine, private)
        assert "less than a week" in soon
        house.clock.advance(timedelta(days=7))  # type: ignore[attr-defined]
        kept = await get(house, WHO, mine.id)
        address = await house.stores["main"].read(addresses.address_of, kept, fresh=True)
        assert address == "10.0.0.8"
        assert await bind(house, mine, None) == []

    tell(home, story)


def test_an_address_is_entered_once_by_an_admin(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, vijay = house.stores["main"], await a_user(house)
        await enter_address(house, "2001:DB8::1")
        with pytest.raises(Conflict, match="2001:db8::1"):
            await enter_address(house, "2001:db8:0::1")
        with pytest.raises(Forbidden):
            await main.write(addresses.add_egress, as_user(vijay), "10.0.0.9", house.clock())
        account = await add(house, vijay, "mine")
        with pytest.raises(NotFound):
            await main.write(addresses.bind, WHO, account.id, 77, house.clock())

    tell(home, story)
