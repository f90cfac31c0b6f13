"""Addresses of stores, written so that they can be shown: no password is in them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def redacted(url: str) -> str:
    """Write a URL so that it can be shown: its passwords are gone."""
    before, at, host = re.sub("password=[^&]*", "password=***", url).rpartition("@")
    return re.sub(r"(?s)^((?:\w+://)?+[^:]*):.*", r"\1:***", before) + at + host


def place(url: str) -> str:
    """Say to a person where a store lies: its file, or its server and database."""
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    server = urlsplit(redacted(url))
    return f"PostgreSQL at {server.netloc.rpartition('@')[2]}{server.path}"
