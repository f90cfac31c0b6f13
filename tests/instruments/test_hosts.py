"""An OpenAlgo host is asked exchange by exchange; one that its broker lacks is named, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.masters import NOBODY, Told, load_published
from bahi.brokers.wire import NoFile
from bahi.instruments.model.loads import Load, MasterRefused, Wanted
from bahi.kernel.actor import the_house
from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import BrokerSlug, Segment
from tests.brokers.simulators import OpenAlgoSimulator
from tests.brokers.simulators.server import Answer, Asked, Route
from tests.living import MORNING
from tests.test_office import do, live
from tests.tokens.test_logins import application, enter

ME = the_house("tests")
UNKNOWN = {"exchange": ["Must be one of: NSE, BSE, NFO, BFO, CDS, BCD, MCX."]}


def share(symbol: str, exchange: str, token: int) -> dict[str, Any]:
    return {
        "symbol": symbol, "brsymbol": f"{symbol}-EQ", "name": symbol, "exchange": exchange,
        "brexchange": exchange, "token": f"{exchange}_EQ|{token}", "expiry": "", "strike": -0.01,
        "lotsize": 1, "instrumenttype": "EQ", "tick_size": 0.05,
    }  # fmt: skip


NSE = [share("RELIANCE", "NSE", 2885), share("TCS", "NSE", 11536)]
FULL = {"NSE": NSE, "BSE": [share("RELIANCE", "BSE", 500325)]}


class Host(OpenAlgoSimulator):
    """Lists what it is given; `answers` are other answers, by exchange."""

    listed: Mapping[str, list[dict[str, Any]]] = FULL
    answers: Mapping[str, Answer] = {}

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {**super().routes(), ("GET", "/api/v1/instruments"): self._instruments}

    def _instruments(self, asked: Asked) -> Answer:
        query = dict(asked.query)
        assert query["apikey"] in {it.secret for it in self.applications.values()}
        if (other := self.answers.get(query["exchange"])) is not None:
            return other
        data = self.listed.get(query["exchange"], [])
        return Answer(body={"status": "success", "message": f"Found {len(data)}", "data": data})


def fetch(home: dict[str, str], host: Host, told: Told = NOBODY) -> list[Load]:
    found: list[Load] = []

    async def story(house: House, clock: StoppedClock) -> None:
        await house.stores["main"].write(enter, house, BrokerSlug.OPENALGO, host.url)
        await do(house, "auto_login", broker="openalgo")
        wanted = Wanted(broker=BrokerSlug.OPENALGO, source=host.url)
        found.append(
            await load_published(house, ME, BrokerSlug.OPENALGO, host.url, wanted=wanted, told=told)
        )

    live(home, story, host.url)
    return found


def a_host(listed: Mapping[str, list[dict[str, Any]]] = FULL, **answers: Answer) -> Host:
    host = Host([application(BrokerSlug.OPENALGO)], StoppedClock(MORNING))
    host.listed, host.answers = listed, answers
    return host


def test_an_exchange_that_the_hosts_broker_lacks_is_left_out_and_named(
    home: dict[str, str],
) -> None:
    came: list[int] = []
    unknown = Answer(status=400, body={"status": "error", "message": UNKNOWN})
    with a_host(MCX_INDEX=unknown) as host:
        (load,) = fetch(home, host, Told(lambda n, _of: came.append(n), lambda _line: None))
    assert load.lines == 3
    assert load.report["listed"] == {Segment.NSE_EQ: 2, Segment.BSE_EQ: 1}
    assert load.report["skipped"]["BCD: the host lists nothing of this exchange"] == 1
    assert load.report["skipped"]["MCX_INDEX: the host lists nothing of this exchange"] == 1
    assert len(load.report["skipped"]) == 8
    assert came  # the bytes are told as they come
    assert load.source == host.url


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, body={"status": "error", "message": "An error occurred"}),
        Answer(status=404, body={"status": "error", "message": "Not found", "path": "/api/v1"}),
        Answer(status=403, body={"status": "error", "message": "Invalid openalgo apikey"}),
    ],
    ids=["broken", "of_another_kind", "another_key"],
)
def test_a_host_that_does_not_answer_for_an_exchange_changes_nothing(
    home: dict[str, str], answer: Answer
) -> None:
    refused = pytest.raises(NoFile, match=f"status {answer.status}")
    with a_host(NFO=answer) as host, refused:
        fetch(home, host)


def test_a_host_that_lists_nothing_at_all_changes_nothing(home: dict[str, str]) -> None:
    with a_host({}) as host, pytest.raises(MasterRefused, match="lists nothing"):
        fetch(home, host)
