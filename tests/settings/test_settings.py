"""Settings: typed, versioned, audited, sealed where they are sensitive, in effect everywhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.db.opening import Database
from bahi.db.revisions import Revisions
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Forbidden, Invalid, KeyMissing
from bahi.kernel.keyring import Keyring
from bahi.kernel.redaction import HIDDEN
from bahi.kernel.words import Role
from bahi.settings.model import Config, Wish, checked, decoded
from bahi.settings.model.declared import DECLARED, hours, times_of
from bahi.settings.service import (
    LiveConfig,
    NoSetting,
    deactivate_config,
    find_config,
    get_all_configs,
    get_config,
    get_configs_by_type,
    get_scheduler_config,
    save_scheduler_config,
    seed,
    set_config,
)
from tests.living import MORNING, live_in

CANARY = "c4n4ry-S1ngs-Aloud"
WHO = the_house("test")


async def put(house: House, category: str, key: str, value: Any, **more: Any) -> Config:
    wish = Wish(category=category, key=key, value=value, **more)
    return await house.stores["main"].write(set_config, house.vault, WHO, wish, house.clock())


async def look(house: House, category: str, key: str) -> Config:
    return await house.stores["main"].read(get_config, category, key, fresh=True)


def test_the_first_start_enters_what_is_missing_and_overwrites_nothing(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await put(house, "trading", "max_positions", 4)
        assert await main.write(seed, MORNING) == len(DECLARED) - 1
        assert await main.write(seed, MORNING) == 0
        assert (await look(house, "trading", "max_positions")).value == 4
        assert (await look(house, "trading", "default_lot_size")).value == 75
        assert (await look(house, "scheduler", "kite_login_times")).value == "05:45,08:45"
        assert (await look(house, "websocket", "ws_max_reconnect_attempts")).value == 10
        assert (await look(house, "risk", "kill_switch_enabled")).value is False
        assert len(await main.read(get_all_configs, fresh=True)) == len(DECLARED)

    live_in(home, story)


VALUES: tuple[tuple[str | None, Any, Any], ...] = (
    ("string", "plain", "plain"),
    ("integer", "17", 17),
    ("integer", -5, -5),
    ("boolean", "on", True),
    ("boolean", False, False),
    ("json", '{"a": [1, null]}', {"a": [1, None]}),
    ("json", [1, "two"], [1, "two"]),
    (None, 12, 12),
    (None, True, True),
    (None, {"a": 1}, {"a": 1}),
)

WRONG: tuple[tuple[str, Any, str], ...] = (
    ("trading.max_positions", "ten", "no whole number"),
    ("trading.max_positions", 0, "not 1 to 10000"),
    ("trading.max_positions", True, "no whole number"),
    ("scheduler.weekdays_only", "sometimes", "neither true nor false"),
    ("scheduler.kite_login_times", "5:45", "HH:MM"),
    ("scheduler.kite_login_times", "24:00", "HH:MM"),
    ("tokens.breeze_expiry", "never", "one of earlier, midnight, 24h"),
    ("Mine.thing", 1, "no name"),
    ("mine.thing", float("nan"), "no JSON"),
    ("mine.thing", "x" * 30_000, "characters"),
)


def test_a_value_comes_back_as_what_it_is(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        for n, (data_type, given_, kept) in enumerate(VALUES):
            await put(house, "mine", f"thing{n}", given_, data_type=data_type)
            found = await look(house, "mine", f"thing{n}")
            assert found.value == kept
            assert type(found.value) is type(kept)

    live_in(home, story)


def test_what_cannot_be_is_refused_with_a_sentence(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        for name, value, why in WRONG:
            category, _, key = name.partition(".")
            with pytest.raises(Invalid, match=why):
                await put(house, category, key, value)
            assert await house.stores["main"].read(find_config, category, key, fresh=True) is None
        await put(house, "mine", "api_secret", 5)
        with pytest.raises(Invalid) as refused:
            await put(house, "mine", "api_secret", CANARY)
        assert CANARY not in str(refused.value)

    live_in(home, story)


def test_every_change_is_a_version_and_a_row_in_the_trail(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        first = await put(house, "trading", "max_positions", 8, description="For my desk.")
        second = await put(house, "trading", "max_positions", 9)
        assert (first.version, second.version) == (1, 2)
        assert second.description == "For my desk."
        main = house.stores["main"]
        gone = await main.write(deactivate_config, WHO, "trading", "max_positions", MORNING)
        assert (gone.is_active, gone.version) == (False, 3)
        with pytest.raises(NoSetting):
            await look(house, "trading", "max_positions")
        with pytest.raises(NoSetting):
            await main.write(deactivate_config, WHO, "trading", "max_positions", MORNING)
        back = await put(house, "trading", "max_positions", 10)
        assert (back.version, back.is_active) == (4, True)
        trail = await recent(main, WHO, entity_type="config")
        said = [(it.action, it.old_value, it.new_value) for it in reversed(trail)]
        assert [it[0] for it in said] == ["create", "update", "delete", "update"]
        assert said[1][1]["value"] == 8
        assert said[1][2]["value"] == 9
        assert said[2][2] is None

    live_in(home, story)


def test_a_secret_is_sealed_and_shown_nowhere(
    home: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        shown = [
            await put(house, "telegram", "bot_token", CANARY),  # its name says so
            await put(house, "mine", "thing", CANARY, sensitive=True),
            await put(house, "mine", "thing", CANARY + "!"),  # once sensitive, always
            await look(house, "mine", "thing"),
            await main.read(get_all_configs, fresh=True),
            await main.read(get_configs_by_type, "telegram", fresh=True),
            await recent(main, WHO, entity_type="config"),
            Wish(category="mine", key="thing", value=CANARY),
        ]
        assert CANARY not in repr(shown)
        assert (await look(house, "mine", "thing")).value == HIDDEN
        with pytest.raises(Invalid, match="not its value"):
            await put(house, "mine", "thing", HIDDEN)
        live = LiveConfig(main, house.vault, Revisions(main))
        assert await live.get("mine", "thing") == CANARY + "!"
        assert await live.get("telegram", "bot_token") == CANARY
        with Database("main", house.settings.main).opened() as core:
            rows = core.exec_driver_sql("SELECT value, value_enc FROM config").all()
        assert all(value == "" and CANARY.encode() not in bytes(enc) for value, enc in rows)

    live_in(home, story)
    assert CANARY not in caplog.text


def test_a_change_takes_effect_in_every_process(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        revisions = Revisions(main, now_s=lambda: 0.0)  # never too old, so only numbers decide
        live = LiveConfig(main, house.vault, revisions)
        assert await live.get("trading", "max_positions") == 10  # as declared; nothing is known
        await revisions.look()
        assert await live.get("trading", "max_positions") == 10
        await put(house, "trading", "max_positions", 3)
        assert await live.get("trading", "max_positions") == 10  # from memory
        await revisions.look()
        assert await live.get("trading", "max_positions") == 3
        unknown = LiveConfig(main, house.vault, Revisions(main))
        await put(house, "trading", "max_positions", 5)
        assert await unknown.get("trading", "max_positions") == 5  # unknown: the database
        with pytest.raises(NoSetting):
            await live.get("mine", "nothing")

    live_in(home, story)


def test_a_secret_that_does_not_open_stops_no_other(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await put(house, "telegram", "bot_token", CANARY)
        await put(house, "trading", "max_positions", 3)
        other = Vault(Keyring.create(house.settings.home / "another"))
        live = LiveConfig(main, other, Revisions(main))
        assert await live.get("trading", "max_positions") == 3
        with pytest.raises(KeyMissing):
            await live.get("telegram", "bot_token")

    live_in(home, story)


def test_many_who_set_at_once_each_make_a_version(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await asyncio.gather(*(put(house, "mine", "count", n) for n in range(20)))
        assert (await look(house, "mine", "count")).version == 20

    live_in(home, story)


def test_only_an_admin_sets(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        trader = Actor(name="someone", user_id=1, role=Role.TRADER)
        wish = Wish(category="mine", key="thing", value=1)
        main = house.stores["main"]
        with pytest.raises(Forbidden):
            await main.write(set_config, house.vault, trader, wish, MORNING)
        with pytest.raises(Forbidden):
            await main.write(deactivate_config, trader, "mine", "thing", MORNING)

    live_in(home, story)


def test_the_schedule_is_set_as_a_whole_or_not_at_all(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        before = await main.read(get_scheduler_config, fresh=True)
        assert before["breeze_login_times"] == "05:30,08:30"
        good = {"breeze_login_times": "09:00, 06:00", "weekdays_only": False}
        after = await main.write(save_scheduler_config, house.vault, WHO, good, MORNING)
        assert (after["breeze_login_times"], after["weekdays_only"]) == ("06:00,09:00", False)
        bad = {"weekdays_only": True, "kite_login_times": "soon"}
        with pytest.raises(Invalid):
            await main.write(save_scheduler_config, house.vault, WHO, bad, MORNING)
        assert await main.read(get_scheduler_config, fresh=True) == after

    live_in(home, story)


def test_every_declared_setting_begins_with_a_value_that_it_accepts() -> None:
    for it in DECLARED:
        stored = checked(it.category, it.key, it.data_type, it.default)
        assert decoded(it.data_type, stored) == it.default


@given(st.lists(st.times(), min_size=1, max_size=12))
def test_a_list_of_hours_reads_back_in_order(some: list[Any]) -> None:
    text = " , ".join(f"{it:%H:%M}" for it in some)
    wanted = sorted({it.replace(second=0, microsecond=0) for it in some})
    assert list(times_of(hours(text))) == wanted
    assert hours(hours(text)) == hours(text)


@given(st.text(max_size=40))
def test_any_text_is_a_list_of_hours_or_refused_by_a_sentence(text: str) -> None:
    with suppress(Invalid):
        assert times_of(hours(text))


UNKEEPABLE = ["\0", "a\0b", "\ud800", {"\ud800": 1}, {"a": ["x", {"b\0": 1}]}, [["\udfff"]]]


@pytest.mark.parametrize("value", UNKEEPABLE)
def test_what_the_databases_would_not_keep_alike_is_refused(
    home: dict[str, str], value: object
) -> None:
    async def story(house: House) -> None:
        wish = Wish(category="adv", key="x", value=value)
        with pytest.raises(Invalid, match="half of one"):
            await house.stores["main"].write(set_config, house.vault, WHO, wish, house.clock())

    live_in(home, story)


def test_our_own_settings_are_no_secrets_whatever_their_names(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        wish = Wish(category="scheduler", key="token_alert_time", value="09:00")
        found = await house.stores["main"].write(set_config, house.vault, WHO, wish, house.clock())
        assert (found.value, found.is_sensitive) == ("09:00", False)

    live_in(home, story)


def test_a_setting_that_was_spoilt_by_hand_counts_as_its_default(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        def spoil(tx: Tx) -> None:
            seed(tx, house.clock())
            tx.change(
                sa.text("UPDATE config SET value = 'seven' WHERE key = 'rate_limit_per_minute'")
            )

        await house.stores["main"].write(spoil)
        assert await house.config.get("api", "rate_limit_per_minute") == 60
        shown = await house.stores["main"].read(get_config, "api", "rate_limit_per_minute")
        assert shown.value == "seven"

    live_in(home, story)
