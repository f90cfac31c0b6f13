"""The queries that the five sources print run as they are written, and answer what they meant.

The views give people exact rupees and Indian time; where a source adds amounts up, the tables give
programs integers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.dialects import SQL
from tests.db.rows import (
    DAY,
    FOLLOWER,
    HOUR,
    LEADER,
    MINUTE,
    OPENING,
    RUPEE,
    Store,
    a_position,
    a_trade,
    an_api,
    an_order,
)


@pytest.fixture
def open_store(empty_database) -> Iterator[Any]:
    url = sa.make_url(empty_database.url)
    if empty_database.kind == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if empty_database.kind == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.exec_driver_sql("BEGIN")  # this driver begins nothing before DDL
        yield lambda name: Store(connection, name)
    engine.dispose()


@pytest.fixture
def main(open_store) -> Store:
    """A desk of one user: a leader at Upstox and a follower at Dhan."""
    store = open_store("main")
    store.put("users", id=7, username="asha")
    for account, name, broker, role in (
        (LEADER, "Own money", "upstox", "leader"),
        (FOLLOWER, "Family", "dhan", "follower"),
    ):
        known = {"user_id": 7, "name": name, "copy_role": role}
        store.put("accounts", id=account, broker=broker, broker_user_id=f"C{account}", **known)
        store.put("books", account_id=account, mode="live", **known)
    return store


# 000: tokens


def test_active_tokens_come_in_the_order_of_their_apis(main):
    an_api(main, "WEBSOCKET1", 1)
    an_api(main, "PRIMARY", 0, expires_at=OPENING + 18 * HOUR + 15 * MINUTE)
    an_api(main, "OPTIONCHAIN1", 4, is_active=0)
    rows = main.ask("SELECT * FROM upstox_tokens \nWHERE is_active = 1 \nORDER BY api_index;")
    assert [row["api_name"] for row in rows] == ["PRIMARY", "WEBSOCKET1"]
    assert bytes(rows[0].pop("access_token")) == b"PRIMARY"
    assert rows[0] == {
        "api_name": "PRIMARY",
        "api_index": 0,
        "user_id": "C1",
        "user_name": None,
        "is_active": 1,
        "validity_at": "2026-11-21 03:30:00",
        "generated_at": "2026-11-20 09:15:00",
    }


def test_one_token_is_found_by_its_apis_name_until_it_is_switched_off(main):
    query = "SELECT * FROM upstox_tokens \nWHERE api_name = ? AND is_active = 1;"
    api = an_api(main, "PRIMARY", 0)
    assert [row["api_index"] for row in main.ask(query, "PRIMARY")] == [0]
    assert main.ask(query, "WEBSOCKET1") == []
    main.change("broker_tokens", {"broker_api_id": api}, is_active=0)
    assert main.ask(query, "PRIMARY") == []
    assert [row["is_active"] for row in main.ask("SELECT * FROM upstox_tokens")] == [0]


def test_a_new_token_takes_over_and_the_old_one_stays_as_history(main):
    api = an_api(main, "PRIMARY", 0)
    main.change("broker_tokens", {"broker_api_id": api}, is_active=0)
    main.put("broker_tokens", broker_api_id=api, access_token_enc=b"new", generated_at=OPENING + 1)
    (row,) = main.ask("SELECT * FROM upstox_tokens WHERE api_name = ?", "PRIMARY")
    assert bytes(row["access_token"]) == b"new"
    assert main.ask("SELECT count(*) AS n FROM broker_tokens") == [{"n": 2}]
    with pytest.raises(sa.exc.IntegrityError):
        main.put("broker_tokens", broker_api_id=api)


def test_the_export_of_tokens_shows_no_token(main):
    an_api(main, "PRIMARY", 0, expires_at=OPENING)
    assert main.ask("SELECT api_name, user_id, is_active, validity_at FROM upstox_tokens") == [
        {
            "api_name": "PRIMARY",
            "user_id": "C1",
            "is_active": 1,
            "validity_at": "2026-11-20 09:15:00",
        }
    ]


def test_the_newest_run_that_can_go_on_is_found(main):
    for name, status, moved in (
        ("older", "RUNNING", OPENING),
        ("newest", "COOLDOWN", OPENING + MINUTE),
        ("done", "COMPLETED", OPENING + HOUR),
    ):
        main.put(
            "token_runs",
            execution_id=name,
            status=status,
            updated_at=moved,
            last_failure_at=OPENING,
            next_api="WEBSOCKET2",
        )
    (row,) = main.ask(
        "SELECT * FROM token_execution_state \n"
        "WHERE status IN ('COOLDOWN', 'RUNNING', 'RESUMING')\n"
        "ORDER BY updated_at DESC LIMIT 1;"
    )
    assert (row["execution_id"], row["next_api"]) == ("newest", "WEBSOCKET2")
    assert row["last_failure_epoch"] == OPENING // 1_000_000


# 001: copying, the book, risk, errors


def test_the_leaders_active_orders_show_their_copies_in_rupees_and_indian_time(main):
    copied = an_order(main, client_order_id="a")
    an_order(main, status="EXECUTED")
    for status in ("PENDING", "TRANSIT", "UNKNOWN", "PARTIAL"):
        an_order(main, status=status)
    copy = an_order(main, FOLLOWER)
    main.put(
        "copy_mappings",
        leader_order_id=copied,
        follower_order_id=copy,
        follower_account_id=FOLLOWER,
        leader_qty=10,
        follower_qty=10,
        sizing_strategy="fixed_ratio",
        status="placed",
    )
    rows = main.ask("SELECT * FROM v_active_orders WHERE account_type = 'leader'")
    assert sorted(row["status"] for row in rows) == [
        "OPEN",
        "PARTIAL",
        "PENDING",
        "TRANSIT",
        "UNKNOWN",
    ]
    (row,) = [row for row in rows if row["id"] == copied]
    assert (row["price"], row["trigger_price"]) == ("812.50", None)
    assert (row["placed_at"], row["quantity"]) == ("2026-11-20 09:15:00", 10)
    assert (row["follower_order_id"], row["sizing_strategy"]) == (copy, "fixed_ratio")


def test_the_latest_positions_have_a_net_row_and_a_row_of_the_day(main):
    a_position(main, day_qty=4, day_buy_qty=4, realized_pnl=-25, day_realized_pnl=150)
    a_position(main, symbol="INFY", net_qty=0)
    a_position(main, FOLLOWER)
    rows = main.ask(
        "SELECT * FROM v_latest_positions WHERE account_type = ? ORDER BY position_type", "leader"
    )
    day, net = rows
    assert (day["position_type"], day["net_qty"], day["realized_pnl"]) == ("DAY", 4, "0.015")
    assert (net["position_type"], net["net_qty"], net["realized_pnl"]) == ("NET", 10, "-0.0025")
    assert net["snapshot_at"] == "2026-11-20 09:15:00"


def test_the_latest_funds_and_holdings_are_the_current_ones(main):
    main.put("funds", account_id=FOLLOWER, available_balance=1_00_00_000 * RUPEE)
    main.put("holdings", account_id=FOLLOWER, exchange_segment="NSE_EQ", symbol="SBIN", total_qty=3)
    main.put("holdings", account_id=FOLLOWER, exchange_segment="NSE_EQ", symbol="OLD", total_qty=0)
    (funds,) = main.ask("SELECT * FROM v_latest_funds WHERE account_type = ?", "follower")
    assert funds["available_balance"] == "10000000.00"
    (held,) = main.ask("SELECT * FROM v_latest_holdings WHERE account_type = ?", "follower")
    assert (held["symbol"], held["total_qty"]) == ("SBIN", 3)


def test_brackets_covers_and_slices_are_told_apart(main):
    parent = an_order(main, bo_profit=20 * RUPEE, bo_stop_loss=10 * RUPEE, broker_order_id="B1")
    legs = {
        kind: an_order(main, parent_order_id=parent, leg_type=kind, broker_order_id=kind)
        for kind in ("ENTRY", "TARGET", "SL")
    }
    cover = an_order(main, co_stop_loss=790 * RUPEE)
    for index, status in enumerate(("EXECUTED", "OPEN", "EXPIRED")):
        an_order(
            main,
            is_sliced=1,
            slice_group_id="G",
            slice_index=index,
            slice_total_qty=30,
            quantity=10 + index,
            status=status,
        )
    (bracket,) = main.ask("SELECT * FROM v_active_bracket_orders")
    assert (bracket["parent_order_id"], bracket["bo_profit_value"]) == (parent, "20.00")
    assert [bracket[f"{kind.lower()}_leg_id"] for kind in legs] == list(legs.values())
    shown = main.ask("SELECT * FROM bracket_order_legs WHERE parent_order_id = 'B1'")
    assert sorted(row["leg_order_id"] for row in shown) == ["ENTRY", "SL", "TARGET"]
    assert [row["id"] for row in main.ask("SELECT * FROM v_cover_orders")] == [cover]
    (group,) = main.ask("SELECT * FROM v_sliced_orders")
    assert [piece.split(":")[1] for piece in group["order_details"].split(", ")] == [
        "10",
        "11",
        "12",
    ]
    assert (group["slice_count"], group["total_quantity"], group["original_quantity"]) == (
        3,
        33,
        30,
    )
    counts = [group[f"{ended}_count"] for ended in ("executed", "pending", "failed")]
    assert counts == [1, 1, 1]


def test_forever_orders_are_counted_by_status_and_show_their_replica(main):
    plain = {
        "account_id": LEADER,
        "kind": "SINGLE",
        "exchange_segment": "NSE_EQ",
        "security_id": "3045",
        "trigger_type": "LTP_BELOW",
        "side": "BUY",
        "product": "CNC",
        "order_type": "LIMIT",
        "quantity": 1,
    }
    active = main.put("forever_orders", status="ACTIVE", **plain)
    main.put("forever_orders", status="EXPIRED", **plain)
    main.put(
        "copy_mappings",
        leader_forever_id=active,
        follower_forever_id=99,
        leader_qty=1,
        follower_qty=1,
        status="placed",
    )
    (row,) = main.ask("SELECT * FROM v_active_forever_orders")
    assert (row["id"], row["replicated_forever_order_id"]) == (active, 99)
    assert main.ask(
        "SELECT status, count(*) AS n FROM forever_orders GROUP BY status ORDER BY status"
    ) == [{"status": "ACTIVE", "n": 1}, {"status": "EXPIRED", "n": 1}]


def test_recent_trades_say_what_each_did_to_the_cash(main):
    order = an_order(main, status="EXECUTED")
    a_trade(main, order_id=order, total_charges=5 * RUPEE)
    a_trade(main, side="SELL", price=810 * RUPEE, traded_at=OPENING + 1, total_charges=7 * RUPEE)
    sold, bought = main.ask("SELECT * FROM v_recent_trades WHERE account_type = 'leader'")
    assert (bought["order_status"], bought["net_cash"]) == ("EXECUTED", "-8005.00")
    assert (sold["order_status"], sold["net_cash"]) == (None, "8093.00")


def test_live_sockets_say_how_long_they_have_been_silent(main):
    heard = (int(time.time()) - 5) * 1_000_000
    main.put(
        "websocket_connections", account_id=LEADER, status="CONNECTED", last_heartbeat_at=heard
    )
    main.put("websocket_connections", account_id=FOLLOWER)
    (row,) = main.ask("SELECT * FROM v_active_websocket_connections")
    assert row["account_type"] == "leader"
    assert row["seconds_since_heartbeat"] >= 5


def test_violations_of_a_day_show_limit_and_actual_value(main):
    broken = {"account_id": LEADER, "violation_type": "ORDER_VALUE", "limit_value": 50_000 * RUPEE}
    main.put("risk_violations", actual_value=61_250 * RUPEE, violated_at=OPENING, **broken)
    main.put("risk_violations", actual_value=RUPEE, violated_at=OPENING - 2 * DAY, **broken)
    assert main.ask(
        "SELECT violation_type, limit_value / 10000 AS most, actual_value / 10000 AS was "
        "FROM risk_violations WHERE violated_at > ?",
        OPENING + HOUR - DAY,
    ) == [{"violation_type": "ORDER_VALUE", "most": 50_000, "was": 61_250}]


def test_the_messages_of_both_channels_are_told_apart(main):
    for channel, kind in (("WEBSOCKET", "order_update"), ("POSTBACK", "order")):
        main.put(
            "inbound_messages",
            account_id=LEADER,
            channel=channel,
            message_type=kind,
            payload="{}",
            received_at=OPENING,
        )
    assert [row["message_type"] for row in main.ask("SELECT * FROM websocket_messages")] == [
        "order_update"
    ]
    assert [row["message_type"] for row in main.ask("SELECT * FROM postback_events")] == ["order"]


def test_recent_errors_are_counted_by_class_and_level(open_store):
    logs = open_store("logs")
    now = int(time.time()) * 1_000_000
    for role in ("leader", "leader", None):
        logs.put("app_log", at=now, error_type="Silent", copy_role=role, message="no answer")
    logs.put("app_log", at=now - 2 * DAY, error_type="Silent")
    logs.put("app_log", at=now, level="INFO", message="opened")
    (row,) = logs.ask("SELECT * FROM v_recent_errors")
    assert (row["error_type"], row["severity"], row["error_count"]) == ("Silent", "ERROR", 3)
    assert row["affected_accounts"] == "leader"
    assert len(logs.ask("SELECT * FROM error_log")) == 4


def test_calls_to_brokers_are_read_by_both_sources_names(open_store):
    latency = open_store("latency")
    latency.put(
        "api_calls",
        operation="place_order",
        order_ref="B1",
        copy_role="leader",
        success=1,
        started_at=OPENING,
        ended_at=OPENING + 12_345,
        duration_us=12_345,
    )
    (call,) = latency.ask("SELECT * FROM audit_log WHERE account_type = 'leader'")
    assert (call["action"], call["duration_ms"], call["ts"]) == (
        "place_order",
        12,
        OPENING // 1_000_000,
    )
    (took,) = latency.ask("SELECT * FROM latency_metrics WHERE order_id = 'B1'")
    assert float(took["latency_ms"]) == 12.345


def test_a_store_tells_its_newest_migration(open_store):
    telegram = open_store("telegram")
    for version in (1, 2):
        telegram.put("schema_migrations", version=version, name="step", applied_at=OPENING)
    assert telegram.ask("SELECT max(version) AS v FROM schema_migrations") == [{"v": 2}]


# 002 and 003: sessions, activity, sums by account


def test_the_newest_active_unexpired_session_of_a_service_is_found(main):
    an_api(main, "PRIMARY", 0, expires_at=OPENING + HOUR)
    query = (
        "SELECT t.id FROM broker_tokens t JOIN broker_apis b ON b.id = t.broker_api_id "
        "JOIN accounts a ON a.id = b.account_id WHERE a.broker = ? AND t.is_active = 1 "
        "AND t.expires_at > ? ORDER BY t.generated_at DESC LIMIT 1"
    )
    assert len(main.ask(query, "upstox", OPENING)) == 1
    assert main.ask(query, "upstox", OPENING + HOUR) == []


def test_what_people_did_outlives_them(main):
    main.put("audit_trail", user_id=7, action="login", ip_address="10.0.0.1")
    main.take_away("users", id=7)
    (row,) = main.ask("SELECT * FROM activity_logs WHERE user_id = 7")
    assert (row["action"], row["timestamp"]) == ("login", "2026-11-20 09:15:00")


def test_positions_and_their_profit_are_summed_by_account(main):
    a_position(main, total_pnl=150 * RUPEE)
    a_position(main, symbol="INFY", total_pnl=-25)
    a_position(main, FOLLOWER, total_pnl=RUPEE)
    assert main.ask(
        "SELECT a.name AS account_name, count(p.id) AS position_count, "
        "CAST(sum(t.total_pnl) AS BIGINT) AS total_pnl FROM accounts a "
        "JOIN v_latest_positions p ON p.account_id = a.id JOIN positions t ON t.id = p.id "
        "WHERE a.user_id = ? AND p.position_type = 'NET' GROUP BY a.id ORDER BY a.id",
        7,
    ) == [
        {"account_name": "Own money", "position_count": 2, "total_pnl": 150 * RUPEE - 25},
        {"account_name": "Family", "position_count": 1, "total_pnl": RUPEE},
    ]


# 004: symbols, pages, daily figures


def test_a_symbols_token_is_found_by_broker_symbol_and_segment(main):
    sbin = main.put("instruments", exchange_segment="NSE_EQ", symbol="SBIN")
    for status in ("IN_FORCE", "READING"):  # what is only being read is nobody's token yet
        load = main.put(
            "master_loads",
            broker="dhan",
            source="a file",
            trading_day="2026-11-20",
            status=status,
            started_by="tests",
            started_at=0,
            seen_at=0,
        )
        main.put(
            "broker_listings",
            broker="dhan",
            load_id=load,
            instrument_id=sbin,
            exchange_segment="NSE_EQ",
            broker_symbol="SBIN",
            security_id="3045" if status == "IN_FORCE" else "9999",
        )
        if status == "IN_FORCE":
            main.put(
                "instrument_masters",
                broker="dhan",
                exchange_segment="NSE_EQ",
                load_id=load,
                listings=1,
                in_force_since=0,
            )
    assert main.ask(
        "SELECT s.security_id FROM broker_symbols s JOIN instruments i ON i.id = s.instrument_id "
        "WHERE i.symbol = ? AND i.exchange_segment = ? AND s.broker = ?",
        "SBIN",
        "NSE_EQ",
        "dhan",
    ) == [{"security_id": "3045"}]


def test_order_history_comes_in_pages_newest_first(main):
    placed = [an_order(main, placed_at=OPENING + minute * MINUTE) for minute in range(5)]
    page = main.ask(
        "SELECT o.id FROM orders o JOIN accounts a ON a.id = o.account_id WHERE a.user_id = ? "
        "ORDER BY o.placed_at DESC LIMIT 2 OFFSET 2",
        7,
    )
    assert [row["id"] for row in page] == placed[2:0:-1]


def test_a_days_turnover_and_net_cash_are_of_the_indian_day(main, empty_database):
    day = SQL[empty_database.kind].ist_day("t.traded_at")
    midnight = OPENING - 9 * HOUR - 15 * MINUTE
    a_trade(main, traded_at=midnight - 1, quantity=99)
    a_trade(main, traded_at=midnight)
    a_trade(main, side="SELL", price=810 * RUPEE, traded_at=midnight + DAY - 1)
    a_trade(main, FOLLOWER, traded_at=midnight + DAY, quantity=99)
    assert main.ask(
        "SELECT CAST(sum(t.quantity * t.price) AS BIGINT) AS turnover, CAST(sum(CASE WHEN "
        "t.side = 'SELL' THEN t.quantity * t.price ELSE -t.quantity * t.price END) AS BIGINT) "
        f"AS net FROM trades t JOIN books b ON b.account_id = t.account_id "
        f"WHERE b.user_id = ? AND {day} = ?",
        7,
        "2026-11-20",
    ) == [{"turnover": 16_100 * RUPEE, "net": 100 * RUPEE}]


def test_paper_orders_read_by_the_same_views(open_store):
    sandbox = open_store("sandbox")
    sandbox.put("books", account_id=LEADER, name="Paper", user_id=7, mode="paper")
    an_order(sandbox, price=25)
    assert [row["price"] for row in sandbox.ask("SELECT * FROM v_active_orders")] == ["0.0025"]
