"""`bahi config`, `bahi health` and `bahi alert`, each through its own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bahi.bootstrap import House
from bahi.cli import alert, config, health
from bahi.kernel.errors import BahiError, Invalid, NotFound
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from tests.living import MORNING, live_in

CANARY = "c4n4ry-S1ngs-Aloud"

Bahi = Callable[..., Result]


@pytest.fixture
def bahi(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bahi]:
    """Run a command here, in the environment of a house that is there."""
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.add_typer(config.app, name="config")
    app.add_typer(alert.app, name="alert")
    app.command("health")(health.health)
    runner = CliRunner()

    def run(*words: str, answer: str = "") -> Result:
        ended = runner.invoke(app, words, input=answer)
        if isinstance(ended.exception, BahiError):
            raise ended.exception
        assert isinstance(ended.exception, SystemExit | None), ended.exception
        return ended

    return run


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_settings_are_set_shown_and_unset(bahi: Bahi) -> None:
    done = said(bahi("config", "set", "trading.max_positions", "7", "--json"))
    assert (done["value"], done["version"], done["updated_by"]) == (7, 1, "bahi:terminal")
    assert bahi("config", "get", "trading.max_positions").stdout == "7\n"
    sealed = bahi("config", "set", "telegram.bot_token", answer=f"{CANARY}\n")
    assert sealed.stdout == "telegram.bot_token is *** (version 1).\n"
    table = bahi("config", "list")
    assert "trading.max_positions" in table.stdout
    shown = [table, bahi("config", "list", "telegram", "--json"), sealed]
    shown += [bahi("config", "get", "telegram.bot_token", "--json")]
    assert CANARY not in "".join(it.output for it in shown)
    assert "does not count" in bahi("config", "unset", "trading.max_positions").stdout
    with pytest.raises(NotFound):
        bahi("config", "get", "trading.max_positions")
    every = said(bahi("config", "list", "trading", "--all", "--json"))
    assert ("max_positions", False) in [(it["key"], it["active"]) for it in every]
    with pytest.raises(Invalid, match=r"category\.key"):
        bahi("config", "get", "max_positions")
    with pytest.raises(Invalid, match="1 to 10000"):
        bahi("config", "set", "trading.max_positions", "0")


def test_health_is_told_part_by_part_and_ends_with_one_when_it_is_bad(
    bahi: Bahi, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = said(bahi("health", "--json"))
    assert found["parts"]["store main"]["status"] == "healthy"
    assert {"disk", "clock", "store logs"} <= set(found["parts"])
    monkeypatch.setattr("bahi.health.service.ROOM_OUT", 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _: (_ for _ in ()).throw(OSError("gone")))
    bad = bahi("health")
    assert bad.exit_code == 1
    assert "The house is unhealthy." in bad.stdout


def test_alerts_are_shown_and_taken_on(bahi: Bahi, home: dict[str, str]) -> None:
    cause = Cause(severity=Severity.CRITICAL, source="tokens", message="None is valid.", topic="t")

    async def plant(house: House) -> list[int]:
        return [
            await house.stores[store].write(raise_alert, cause, MORNING)
            for store in ("main", "sandbox")
        ]

    ids = live_in(home, plant)
    listed = [int(it["id"]) for it in said(bahi("alert", "list", "--json"))]
    assert listed == sorted(ids, reverse=True)
    assert "tokens: None is valid." in bahi("alert", "list").stdout
    assert str(ids[0]) in bahi("alert", "list").stdout
    taken = said(bahi("alert", "ack", str(ids[1]), "--json"))
    assert (taken["store"], taken["acknowledged_by"]) == ("sandbox", "bahi:terminal")
    assert "taken on by bahi:terminal" in bahi("alert", "ack", str(ids[0])).stdout
    assert said(bahi("alert", "list", "--json")) == []
    assert len(said(bahi("alert", "list", "--all", "--json"))) == 2
    with pytest.raises(NotFound):
        bahi("alert", "ack", "12345")
