"""Where one may go from any page: the list that the bar, the menu and `/` are made of."""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """A page, by its address; `about` is what else a person may call it."""

    path: str
    title: str
    about: str = ""
    in_bar: bool = False
    for_admins: bool = False


GROUPS: Final[tuple[tuple[str, tuple[Place, ...]], ...]] = (
    (
        "Trading",
        (
            Place("/", "Desk", "home today", in_bar=True),
            Place("/orders", "Orders", "order book timeline", in_bar=True),
            Place("/positions", "Positions", "square off convert", in_bar=True),
            Place("/trades", "Trades", "fills trade book"),
            Place("/holdings", "Holdings", "delivery shares demat", in_bar=True),
            Place("/funds", "Funds", "ledger cash margin charges", in_bar=True),
            Place("/approvals", "Approvals", "orders that wait for a person"),
        ),
    ),
    (
        "Markets",
        (
            Place("/chart", "Chart", "candles"),
            Place("/options", "Options", "option chain greeks payoff basket strikes", in_bar=True),
            Place("/symbols", "Symbols", "instruments search master"),
        ),
    ),
    (
        "House",
        (
            Place("/accounts", "Accounts", "matrix family persons", in_bar=True),
            Place("/tokens", "Tokens", "logins brokers morning"),
            Place("/risk", "Risk", "limits kill switch violations", in_bar=True),
            Place("/alerts", "Alerts", "inbox"),
            Place("/day-end", "Day end", "closing checklist sign"),
        ),
    ),
    (
        "Engine room",
        (
            Place("/jobs", "Jobs", "schedules backups progress"),
            Place("/latency", "Latency", "histogram percentiles", for_admins=True),
            Place("/audit", "Audit", "who changed what verify"),
            Place("/logs", "Logs", "errors", for_admins=True),
            Place("/health", "Health", "parts stores disk"),
            Place("/settings", "Settings", "users keys limits webhooks calendar backups"),
        ),
    ),
)


def places_for(*, is_admin: bool) -> list[tuple[str, list[Place]]]:
    """Return the pages that somebody may open, in their groups."""
    return [
        (group, [it for it in places if is_admin or not it.for_admins]) for group, places in GROUPS
    ]


def places_like(words: str, *, is_admin: bool) -> list[Place]:
    """Return the pages that all of these words may mean."""
    wanted = words.casefold().split()
    every = [it for _, places in places_for(is_admin=is_admin) for it in places]
    return [
        it for it in every if all(word in f"{it.title} {it.about}".casefold() for word in wanted)
    ]
