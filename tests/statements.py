"""Counts statements, of all the stores of a process: what a call costs, whatever it returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from bahi.db.tx import Tx


@dataclass
class Count:
    """How many there were."""

    number: int = 0


@contextmanager
def counted() -> Iterator[Count]:
    """Count the statements that are run meanwhile, by whichever thread."""
    found, run = Count(), Tx._guarded

    def one_more(tx: Tx, *args: Any) -> Any:
        found.number += 1
        return run(tx, *args)

    with patch.object(Tx, "_guarded", one_more):
        yield found
