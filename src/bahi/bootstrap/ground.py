"""The ground that a house stands on: its folder, its keys, its databases as they should be."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from bahi.config import STORE_VARIABLES, Settings
from bahi.db.migrate import ORIGIN, Migrator
from bahi.db.nodes import newest_id, take_node
from bahi.db.opening import Database
from bahi.db.present import at_their_newest
from bahi.db.schema import TRADING
from bahi.kernel.clock import Clock, unix_ms
from bahi.kernel.errors import Conflict, Misconfigured, NotCommitted, Unavailable
from bahi.kernel.ids import IdMint, check_clock
from bahi.kernel.keyring import Keyring
from bahi.migrations import history

NEWEST_IN: Final = ("orders", "order_events", "audit_trail")
"""Tables of a trading store that every minting process writes: where its newest id is found."""

log = logging.getLogger("bahi")


class AlreadyServed(Conflict):
    """Another process serves this data folder."""

    code = "already_served"


def make_folder(home: Path) -> None:
    """Make the data folder, closed to others; one with other things in it is left as it is."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if home.stat().st_mode & 0o077:
            if any(home.iterdir()):
                raise Misconfigured(
                    f"Others can look into the data folder; close it with `chmod 700 {home}`."
                )
            home.chmod(0o700)
    except OSError as fault:
        raise _unusable(home, fault) from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise _unusable(home, PermissionError(None, "Permission denied"))


def _unusable(home: Path, fault: OSError) -> Misconfigured:
    return Misconfigured(
        f"The data folder {home} cannot be used ({fault.strerror}); "
        "set BAHI_HOME to a folder that you may write to."
    )


@contextmanager
def take_service_lock(home: Path, address: str = "") -> Iterator[TextIO]:
    """Be the one service of a data folder; the kernel lets go of the lock when a process dies.

    What stands in it is the process, and the address where it answers.
    """
    with (home / "service.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyServed(
                f"Bahi already serves {home} (process {lock.readline().strip()}); "
                "stop it first, or set BAHI_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n{address}\n")
        lock.flush()
        yield lock


def served_at(home: Path) -> str | None:
    """Return where the service of a data folder answers; None: there is none.

    The lock is tried only where the process that wrote its number there lives, or another does that
    has it by now, so that nobody who looks is in the way of a service that begins.
    """
    with suppress(FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
        process, _, address = (home / "service.lock").read_text("ascii").partition("\n")
        os.kill(int(process), 0)
        with (home / "service.lock").open("r", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return address.strip()
    return None


def keyring_of(settings: Settings) -> Keyring:
    """Read the keys; make them only where nothing can have been sealed yet."""
    if settings.keys is not None:
        return Keyring.from_text(settings.keys, "BAHI_KEYS")
    if settings.keyring.exists():
        return Keyring.load(settings.keyring)
    made = [store for store, it in migrators(settings).items() if _was_made(store, it)]
    if made and not settings.keyring.exists():  # another first start may just have made both
        raise Misconfigured(
            f"There is a {made[0]} store but no keyring at {settings.keyring}: put it back from a "
            "copy, or set BAHI_KEYS to its text; if it is lost for good, `bahi keys create` makes "
            "a new one, and every secret has to be entered anew."
        )
    return Keyring.create(settings.keyring)


def _was_made(store: str, migrator: Migrator) -> bool:
    file = migrator.database.path
    if file is not None and not file.exists():
        return False
    with naming(store):
        return migrator.version() > ORIGIN


def migrators(settings: Settings, tell: Callable[[str], None] = log.info) -> dict[str, Migrator]:
    """Return what moves each store along its history, by name."""
    return {
        store: Migrator(Database(store, url), history(store), tell)
        for store, url in settings.urls.items()
    }


def bring_to_the_present(settings: Settings) -> None:
    """Migrate every store, or refuse or warn where one is behind, as the settings wish."""
    stores = migrators(settings)
    present = at_their_newest(settings.urls, {it: known.history for it, known in stores.items()})
    for store, migrator in stores.items():
        if store in present:
            continue
        with naming(store):
            if settings.migrate == "auto":
                migrator.upgrade()
                continue
            migrator.upgrade(to=ORIGIN)  # takes no step, and yet refuses a newer database
            behind = [step for step in migrator.applied() if step.applied_at is None]
        if behind:
            _refuse_or_warn(settings, migrator, len(behind))


def _refuse_or_warn(settings: Settings, migrator: Migrator, behind: int) -> None:
    steps = len(migrator.steps)
    sentence = f"The {migrator.database.store} store lacks {behind} of {steps} steps"
    if settings.migrate == "refuse" or behind == steps:  # an empty store serves nobody
        raise Misconfigured(f"{sentence}; run `bahi db upgrade`, or set BAHI_MIGRATE to auto.")
    log.warning("%s; run `bahi db upgrade`.", sentence)


def mint_of(settings: Settings, clock: Clock) -> IdMint:
    """Take a node for this process, and refuse a clock that is behind what is written already."""
    newest = 0
    for store in sorted(TRADING):
        with naming(store):
            newest = max(newest, newest_id(Database(store, settings.urls[store]), NEWEST_IN))
    check_clock(newest, clock())
    with naming("main"):
        node = take_node(Database("main", settings.main))
    return IdMint(node, unix_ms, start_after=newest)


@contextmanager
def naming(store: str) -> Iterator[None]:
    """Say which variable named the database that does not answer."""
    try:
        yield
    except NotCommitted as fault:
        raise Unavailable(f"{STORE_VARIABLES[store]}: {fault}") from fault
