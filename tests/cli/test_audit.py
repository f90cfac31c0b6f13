"""`bahi audit`: what was done is shown, written out, and proved unchanged; `bahi erase` is last."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.cli.here import Terminal


def tamper(environ: dict[str, str], statement: str) -> None:
    """Change a trail behind everybody's back, as who owns the database can."""
    if url := environ.get("DATABASE_URL"):
        with psycopg.connect(url) as there:
            there.execute("SET search_path TO main")
            there.execute("SET session_replication_role = replica")
            there.execute(statement)
        return
    with closing(sqlite3.connect(Path(environ["BAHI_HOME"]) / "main.sqlite")) as there, there:
        triggers = there.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            there.execute(f"DROP TRIGGER {name}")
        there.execute(statement)


def test_what_was_done_is_under_seals_and_a_changed_row_is_named(terminal: Terminal) -> None:
    terminal("user", "add", "vijay")
    verdicts = terminal.json("audit", "verify")
    assert [(it["store"], it["good"], it["findings"]) for it in verdicts] == [
        ("main", True, []),
        ("sandbox", True, []),
    ]
    assert verdicts[0]["rows"] >= 3
    tamper(terminal.environ, "UPDATE audit_trail SET actor = 'nobody' WHERE entity_type = 'user'")
    said = terminal("audit", "verify")
    assert said.code == 1
    assert "it was changed." in said.out
    assert "sandbox: 0 rows" in said.out
    assert terminal("audit", "verify", "--store", "sandbox").code == 0
    verdict = json.loads(terminal("audit", "verify", "--json").out)[0]
    assert {it["what"] for it in verdict["findings"]} == {"row changed"}


@pytest.fixture
def furnished_at() -> None:
    """Begin before the first start: nothing is sealed yet."""


def test_the_trail_is_shown_and_written_out(quick: Terminal, tmp_path: Path) -> None:
    assert "Nothing is sealed yet" in quick.refusal("audit", "head")
    vijay = quick.json("user", "add", "vijay")
    quick("user", "change", "vijay", "--role", "viewer")
    shown = quick.json("audit", "show", "--entity", "user", vijay["id"])
    assert [it["action"] for it in shown] == ["update", "create"]
    assert {it["actor"] for it in shown} == {"bahi:terminal"}
    assert shown[0]["new_value"]["role"] == "viewer"
    assert quick.json("audit", "show", "--user", "vijay") == []
    assert len(quick.json("audit", "show", "--action", "create", "--limit", "1")) == 1
    seen = quick("audit", "show", "--entity", "user", vijay["id"]).out
    assert "bahi:terminal" in seen
    (newest,) = quick.json("audit", "head")
    assert newest["store"] == "main"
    assert f"main {newest['seal']} {newest['digest']}\n" == quick("audit", "head").out
    file = tmp_path / "trail.jsonl"
    assert quick("audit", "export", "--output", str(file)).code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [it["id"] for it in rows] == sorted(it["id"] for it in rows)
    assert rows == [json.loads(line) for line in quick("audit", "export").out.splitlines()]
    assert shown[0] in rows


def test_what_is_erased_is_gone_and_its_trail_stays(quick: Terminal) -> None:
    quick("user", "add", "vijay")
    quick("account", "add", "Kite", "--broker", "kite", "--user", "vijay")
    assert "nothing was erased" in quick.refusal("erase", "account", "Kite", answer="Nite\n")
    quick("account", "remove", "Kite")
    assert quick.json("erase", "account", "Kite", "--yes")["erased"] == "Kite"
    assert quick.json("account", "list", "--removed") == [quick.json("account", "show", "Paper")]
    assert quick("erase", "user", "vijay", answer="vijay\n").code == 0
    assert "no removed user 'vijay'" in quick.refusal("erase", "user", "vijay")
    assert quick.json("audit", "verify")[0]["good"]
    assert "create" in {it["action"] for it in quick.json("audit", "show")}
