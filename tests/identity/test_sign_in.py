"""Signing in: what opens a session, what ends it, and how long who guesses has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.identity.model import WITH_A_USER, WITH_AN_ADDRESS, Session, SignInFailed, User
from bahi.identity.service import sign_in as service
from bahi.identity.service import users
from bahi.identity.service.attempts import admit, forget_old_failures
from bahi.identity.service.sign_in import SignedIn, SignIn
from bahi.kernel.crypto import PasswordCost, Passwords
from bahi.kernel.errors import Forbidden, Invalid, NotFound, TooSoon, Unauthenticated
from bahi.kernel.totp import code_of, step_at
from bahi.kernel.words import KeyScope, Role
from tests.identity.lives import PASSWORD, VISITOR, a_user, as_user, tell
from tests.tokens.mornings import CHEAP, WHO

WRONG = "not-what-it-is-9"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
table = HOUSE.metadata.tables


async def signs_in(
    house: House, name: str = "vijay", password: str = PASSWORD, code: str = "", n: int = 7
) -> SignedIn:
    visitor = replace(VISITOR, address=f"203.0.{n // 250}.{n % 250}")
    return await house.sign_in.sign_in(name, password, code, visitor)


async def what_is_said(attempt: Awaitable[object]) -> str:
    with pytest.raises(SignInFailed) as refusal:
        await attempt
    return f"{refusal.value.code} {refusal.value}"


def advance(house: House, by: timedelta) -> None:
    house.clock.advance(by)  # type: ignore[attr-defined]


def code_at(when: datetime) -> str:
    return code_of(SECRET, step_at(when))


async def with_codes(house: House, user: User) -> None:
    sealed = house.vault.seal(SECRET, table="users", column="totp_enc", row_id=user.id)
    await house.stores["main"].write(users.set_totp, WHO, user.id, sealed, house.clock())


async def cell(house: House, column: sa.Column[object], user: User) -> object:
    clause = sa.select(column).where(table["users"].c.id == user.id)

    def read(tx: Tx) -> object:
        row = tx.row(clause)
        return None if row is None else row[0]

    return await house.stores["main"].read(read, fresh=True)


def test_nobody_learns_which_users_there_are(home: dict[str, str]) -> None:
    """The same sentence, and the same work: one password is compared, whoever is named."""

    async def story(house: House) -> None:
        counted = Counted()
        guard = SignIn(house.stores["main"], house.vault, house.clock, lasts, counted)
        await a_user(house)
        await a_user(house, "asha", password=None)
        removed = await a_user(house, "meera")
        await house.stores["main"].write(users.delete_user, WHO, removed.id, house.clock())
        await with_codes(house, await a_user(house, "coded"))
        await what_is_said(guard.sign_in("vijay", WRONG, "", VISITOR))  # makes the decoy
        counted.verified, counted.hashed = 0, 0
        names = ["vijay", "asha", "meera", "nobody", "no\0body", "\ud800", "विजय", "", "x" * 500]
        said = {await what_is_said(guard.sign_in(it, WRONG, "", VISITOR)) for it in names}
        said.add(await what_is_said(guard.sign_in("coded", PASSWORD, "000000", VISITOR)))
        assert len(said) == 1
        assert counted.verified == len(names) + 1
        assert counted.hashed == 0
        trail = await recent(house.stores["main"], WHO, entity_type="auth")
        assert len([it for it in trail if it.action == "login_failed"]) == len(names) + 2
        assert "x" * 50 not in str(trail)  # what a stranger typed may be a password

    async def lasts() -> timedelta:
        return timedelta(hours=1)

    tell(home, story)


class Counted(Passwords):
    """Counts how often a password is hashed or compared."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.verified = self.hashed = 0

    def verify(self, stored: str, password: str) -> bool:
        self.verified += 1
        return super().verify(stored, password)

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)


def test_a_hash_is_made_anew_at_the_next_sign_in_when_it_became_too_cheap(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        vijay, column = await a_user(house), table["users"].c.password_hash
        cheap = await cell(house, column, vijay)
        dear = Passwords(PasswordCost(passes=2, memory_kib=128, lanes=1))
        house.sign_in.passwords = dear
        await what_is_said(signs_in(house, password=WRONG))
        assert await cell(house, column, vijay) == cheap
        await signs_in(house)
        stored = str(await cell(house, column, vijay))
        assert stored.startswith("$argon2id$")
        assert stored != cheap
        assert dear.verify(stored, PASSWORD)
        assert not dear.needs_rehash(stored)
        await signs_in(house)
        assert await cell(house, column, vijay) == stored

    tell(home, story)


def test_a_one_time_code_is_asked_for_and_taken_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        await with_codes(house, vijay)
        for code in ("", "000000", code_at(house.clock() - timedelta(seconds=90))):
            await what_is_said(signs_in(house, code=code))
        code = code_at(house.clock())
        await signs_in(house, code=code)
        await what_is_said(signs_in(house, code=code))  # a replay
        older = code_at(house.clock() - timedelta(seconds=30))
        await what_is_said(signs_in(house, code=older))  # from before the one that was taken
        advance(house, timedelta(seconds=30))
        newer = code_at(house.clock())
        tries = [signs_in(house, code=newer) for _ in range(3)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(it, SignedIn) for it in found) == 1

    tell(home, story)


def test_a_wrong_code_counts_as_a_wrong_password_does(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await with_codes(house, await a_user(house))
        for n in range(WITH_A_USER.free + 1):
            await what_is_said(signs_in(house, code="000000", n=n))
        with pytest.raises(TooSoon):
            await signs_in(house, code=code_at(house.clock()), n=99)

    tell(home, story)


def test_who_guesses_waits_longer_each_time_and_the_right_one_ends_it(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        await a_user(house)
        waits = []
        for n in range(2 * WITH_A_USER.free + 4):
            try:
                await signs_in(house, password=WRONG, n=n)
            except TooSoon as refusal:
                waits.append(refusal.retry_after_s)
                with pytest.raises(TooSoon):  # nothing is looked at, not even what is right
                    await signs_in(house, n=201)
                advance(house, timedelta(seconds=refusal.retry_after_s))
            except SignInFailed:
                continue
        assert waits == [5, 10, 20, 40]
        advance(house, timedelta(seconds=80))
        await signs_in(house)
        for n in range(WITH_A_USER.free):  # begun anew
            await what_is_said(signs_in(house, password=WRONG, n=n))
        advance(house, timedelta(hours=25))
        main = house.stores["main"]
        assert await main.write(forget_old_failures, house.clock()) > 0
        assert await main.write(forget_old_failures, house.clock()) == 0

    tell(home, story)


def test_an_address_that_guesses_waits_whoever_it_names(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await a_user(house)
        for n in range(WITH_AN_ADDRESS.free + 1):
            await what_is_said(signs_in(house, name=f"user{n}", password=WRONG))
        with pytest.raises(TooSoon):
            await signs_in(house)
        with pytest.raises(TooSoon):
            await house.sign_in.follow_link("no-link", "another-Good-1", replace(
                VISITOR, address="203.0.0.7"))  # fmt: skip
        await signs_in(house, n=8)

    tell(home, story)


def test_an_address_from_which_people_sign_in_rightly_never_waits(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await a_user(house)
        for _ in range(WITH_AN_ADDRESS.free + 5):
            await signs_in(house)
        for n in range(WITH_AN_ADDRESS.free):
            await what_is_said(signs_in(house, name=f"user{n}", password=WRONG))
        await signs_in(house)  # one who knows a password forgives only their own attempt
        await what_is_said(signs_in(house, name="user77", password=WRONG))
        with pytest.raises(TooSoon):
            await signs_in(house)

    tell(home, story)


def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_by_one(
    home: dict[str, str],
) -> None:
    """An attempt is counted before it is looked at: also the very first ones, all together."""

    async def story(house: House) -> None:
        await a_user(house)
        counted = Counted()
        house.sign_in.passwords = counted
        tries = [signs_in(house, password=WRONG, n=n) for n in range(40)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        looked_at = sum(isinstance(it, SignInFailed) for it in found)
        assert looked_at == counted.verified == WITH_A_USER.free + 1
        assert sum(isinstance(it, TooSoon) for it in found) == 40 - looked_at

    tell(home, story)


def test_attempts_of_several_processes_are_counted_together(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        tries = [main.write(admit, "user:somebody", None, now) for _ in range(50)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(it is None for it in found) == WITH_A_USER.free + 1

    tell(home, story)


def test_a_password_that_changed_while_it_was_compared_opens_nothing(
    home: dict[str, str],
) -> None:
    """Nor does the hash that was made anew overwrite the new password."""

    async def story(house: House) -> None:
        vijay = await a_user(house)
        new = await house.sign_in.hash("the-new-One-5", "vijay")
        loop = asyncio.get_running_loop()

        class Slow(Passwords):
            def verify(self, stored: str, password: str) -> bool:
                right = super().verify(stored, password)
                asyncio.run_coroutine_threadsafe(changed(), loop).result()
                return right

        async def changed() -> None:
            def write(tx: Tx) -> None:
                users.update_user(tx, WHO, vijay.id, house.clock(), password_hash=new)

            await house.stores["main"].write(write)

        house.sign_in.passwords = Slow(PasswordCost(passes=2, memory_kib=64, lanes=1))
        await what_is_said(signs_in(house))
        assert await cell(house, table["users"].c.password_hash, vijay) == new
        shown = await house.stores["main"].read(
            service.list_sessions, WHO, house.clock(), fresh=True
        )
        assert shown == []

    tell(home, story)


def test_a_session_is_known_by_its_digest_alone_and_remembers_its_use(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay = await a_user(house)
        signed = await signs_in(house)
        assert signed.token not in repr(signed)
        sessions = table["user_sessions"]
        (row,) = await main.read(lambda tx: tx.rows(sa.select(sessions)), fresh=True)
        assert signed.token not in str(list(row))
        (session,) = await list_of(house, vijay)
        assert session.last_activity_at == house.clock()
        assert (session.ip_address, session.user_agent) == ("203.0.0.7", "Firefox")
        who = await house.sign_in.actor_of(signed.token, VISITOR)
        assert (who.user_id, who.role, who.scope) == (vijay.id, Role.TRADER, None)
        assert who.session_id == session.id
        advance(house, timedelta(minutes=5))
        await house.sign_in.actor_of(signed.token, VISITOR)
        await main.write(lambda tx: None)  # what was offered before it is written by now ...
        for _ in range(1000):  # ... or on another of PostgreSQL's write threads, soon
            (session,) = await list_of(house, vijay)
            if session.last_activity_at == house.clock():
                break
            await asyncio.sleep(0.01)
        assert session.last_activity_at == house.clock()
        for wrong in ("", signed.token[:-1], signed.token + "x", "\0", "\ud800"):
            with pytest.raises(Unauthenticated):
                await house.sign_in.actor_of(wrong, VISITOR)

    tell(home, story)


async def list_of(house: House, user: User) -> list[Session]:
    return await house.stores["main"].read(
        service.list_sessions, as_user(user), house.clock(), fresh=True
    )


def test_a_session_ends_by_itself_by_hand_and_with_the_password(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay, asha = await a_user(house), await a_user(house, "asha")
        first, second, third = [await signs_in(house) for _ in range(3)]
        kept = await house.sign_in.actor_of(first.token, VISITOR)
        ended = await house.sign_in.actor_of(second.token, VISITOR)
        assert ended.session_id is not None
        for stranger, failure in (
            (as_user(asha), NotFound),
            (as_user(vijay, scope=KeyScope.TRADE), Forbidden),
        ):
            with pytest.raises(failure):
                await main.write(service.revoke_session, stranger, ended.session_id, house.clock())
        await main.write(service.revoke_session, kept, ended.session_id, house.clock())
        await is_out(house, second)
        assert len(await list_of(house, vijay)) == 2
        assert await list_of(house, asha) == []

        hashed = await house.sign_in.hash("the-new-One-5", "vijay")
        await main.write(
            lambda tx: users.update_user(tx, kept, vijay.id, house.clock(), password_hash=hashed)
        )
        await is_out(house, third)
        await house.sign_in.actor_of(first.token, VISITOR)  # where it was changed from
        await main.write(service.sign_out, kept, house.clock())
        await is_out(house, first)

        last = await signs_in(house, password="the-new-One-5")
        advance(house, last.expires_at - house.clock())
        await is_out(house, last)
        assert await list_of(house, vijay) == []
        assert await main.write(service.end_expired_sessions, house.clock()) == 1
        assert await main.write(service.end_expired_sessions, house.clock()) == 0
        (ended,) = await recent(main, WHO, entity_type="session", action="expire")
        assert (ended.actor, ended.new_value) == ("bahi:sign-in", {"ended": 1})

    tell(home, story)


async def is_out(house: House, signed: SignedIn) -> None:
    with pytest.raises(Unauthenticated):
        await house.sign_in.actor_of(signed.token, VISITOR)


def test_what_a_session_may_follows_the_role_of_today(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        signed = await signs_in(house)
        await house.stores["main"].write(
            lambda tx: users.update_user(tx, WHO, vijay.id, house.clock(), role=Role.VIEWER)
        )
        who = await house.sign_in.actor_of(signed.token, VISITOR)
        assert who.role is Role.VIEWER
        assert not who.may_change()

    tell(home, story)


def test_a_form_comes_from_a_page_of_its_own_session(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        guard = house.sign_in
        brought = guard.csrf_of("one session")
        assert guard.is_csrf("one session", brought)
        for other in ("", brought[:-1], guard.csrf_of("another"), "\ud800", "é"):
            assert not guard.is_csrf("one session", other)

    tell(home, story)


def test_a_link_signs_in_once_and_ends_the_ones_before_it(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        admin = await house.stores["main"].read(admin_of, fresh=True)
        older = await house.sign_in.make_link(WHO, admin.id)
        link = await house.sign_in.make_link(WHO, admin.id)
        with pytest.raises(Unauthenticated):
            await house.sign_in.follow_link(older, "a-Good-one-12", VISITOR)
        with pytest.raises(Invalid, match="password"):
            await house.sign_in.follow_link(link, "short", VISITOR)
        tries = [house.sign_in.follow_link(link, f"a-Good-one-{n}", VISITOR) for n in range(4)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        (signed,) = [it for it in found if isinstance(it, SignedIn)]
        assert sum(isinstance(it, Unauthenticated) for it in found) == 3
        assert (await house.sign_in.actor_of(signed.token, VISITOR)).user_id == admin.id
        winner = found.index(signed)
        await signs_in(house, "admin", f"a-Good-one-{winner}")
        with pytest.raises(Unauthenticated):
            await house.sign_in.whose_link(link)

    tell(home, story)


def test_a_link_ends_by_itself_and_with_a_new_password(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, vijay = house.stores["main"], await a_user(house)
        link = await house.sign_in.make_link(WHO, vijay.id)
        advance(house, service.LINK_LASTS)
        with pytest.raises(Unauthenticated):
            await house.sign_in.whose_link(link)
        link = await house.sign_in.make_link(WHO, vijay.id)
        hashed = await house.sign_in.hash("the-new-One-5", "vijay")
        await main.write(
            lambda tx: users.update_user(
                tx, as_user(vijay), vijay.id, house.clock(), password_hash=hashed
            )
        )
        with pytest.raises(Unauthenticated):
            await house.sign_in.whose_link(link)
        rows = await main.read(lambda tx: tx.rows(sa.select(table["sign_in_links"])), fresh=True)
        assert link not in str(rows)

    tell(home, story)


def test_of_links_made_at_once_one_opens(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        made = await asyncio.gather(*(house.sign_in.make_link(WHO, vijay.id) for _ in range(8)))
        found = await asyncio.gather(
            *(house.sign_in.whose_link(link) for link in made), return_exceptions=True
        )
        assert sum(isinstance(it, User) for it in found) == 1

    tell(home, story)


def test_whoever_follows_a_link_ends_the_sessions_before(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        before = await signs_in(house)
        link = await house.sign_in.make_link(WHO, vijay.id)
        await house.sign_in.follow_link(link, "the-new-One-5", VISITOR)
        await is_out(house, before)
        await what_is_said(signs_in(house))

    tell(home, story)
