"""What a page says, as a person reads it, and what it costs."""

from __future__ import annotations

import re
from html import unescape

import httpx

from tests.statements import counted


async def cost_to(browser: httpx.AsyncClient, path: str) -> int:
    """Return how many statements a page takes; what the house does beside it is not counted."""
    costs = []
    for _ in range(4):
        with counted() as statements:
            answer = await browser.get(path)
        assert answer.status_code == 200, answer.text
        costs.append(statements.number)
    return min(costs)


def tables_of(page: httpx.Response) -> str:
    """Return what stands in the tables of a page, as a person reads it."""
    found = re.findall(r"<table.*?</table>", page.text, re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", " ".join(found))))
