"""A file of prices with a bad line tells what stands before it, and ends there, by name."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from bahi.kernel.clock import SystemClock
from bahi.quotes.service.board import Board
from bahi.quotes.service.files import Replay
from bahi.quotes.service.rows import BadPrices
from bahi.quotes.service.sources import keep_pumping

HEAD = "at,exchange,symbol,last,bids\n"
GOOD = "2026-11-20T09:15:00+05:30,NSE,RELIANCE,{},\n"


def find(_exchange: str, _symbol: str) -> int:
    return 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("9999-12-31T23:59:59-05:30,NSE,RELIANCE,1290,", "at: "),
        ("0001-01-01T00:00:00+05:30,NSE,RELIANCE,1290,", "at: "),
        (f"2026-11-20T09:15:01+05:30,NSE,RELIANCE,1290,1290:{'9' * 60}", "bids: "),
        ("2026-11-20T09:15:01+05:30,NSE,RELIANCE,1290,-5:10", "bids: "),
    ],
)
def test_what_stands_before_a_bad_line_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, why: str
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(HEAD + "".join(GOOD.format(1290 + n) for n in range(5)) + line + "\n")
    board, told = Board(), []
    replay = Replay(file, find, SystemClock(), speed=0)

    async def story() -> None:
        with board.subscribe("tests", [1]):
            async with asyncio.timeout(30):
                await keep_pumping(replay, board, lambda it: told.append(it.last))

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert told == [(1290 + n) * 10_000 for n in range(5)]
    assert f"line 7: {why}" in caplog.text
    assert "end here" in caplog.text


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    replay = Replay(pipe, find, SystemClock())

    async def first() -> None:
        await anext(aiter(replay.quotes()))

    with pytest.raises(BadPrices, match="is no file"):
        asyncio.run(first())
