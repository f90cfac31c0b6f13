"""Where the two databases differ in words: the few expressions and triggers that views and tables
need, spelt once for each, so that everything above is written once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol


class Words(Protocol):
    """What a view or a trigger may need said in its database's own tongue."""

    name: str

    def rupees(self, amount: str) -> str:
        """Render an integer of 1/10000 rupee as exact text: `2950.50`, `0.0025`."""

    def ist(self, instant: str) -> str:
        """Render an instant as text in the exchange's time: `2026-11-20 09:15:00`."""

    def ist_day(self, instant: str) -> str:
        """Render an instant as the exchange's day: `2026-11-20`."""

    def seconds_now(self) -> str:
        """Give the present as whole seconds since 1970."""

    def joined(self, value: str, by: str, *, distinct: bool = False) -> str:
        """Gather the values of a group into one text."""

    def append_only(self, table: str, columns: list[str] | None) -> Iterator[str]:
        """Yield triggers that refuse to change facts (all columns, or only those named)."""

    def touch(self, table: str) -> Iterator[str]:
        """Yield the trigger that sets updated_at where the writer left it unchanged."""

    def functions(self) -> Iterator[str]:
        """Yield what the triggers call."""


class SqliteWords:
    """SQLite 3.37 and newer."""

    name = "sqlite"

    def rupees(self, amount: str) -> str:
        """See `Words`."""
        size = f"abs({amount})"
        return (
            f"CASE WHEN {amount} IS NOT NULL THEN"  # printf would make 0.00 of nothing
            f" CASE WHEN {amount} < 0 THEN '-' ELSE '' END"
            f" || printf('%d.%02d', {size} / 10000, {size} % 10000 / 100)"
            f" || CASE WHEN {size} % 100 = 0 THEN ''"
            f" ELSE rtrim(printf('%02d', {size} % 100), '0') END END"
        )

    def ist(self, instant: str) -> str:
        """See `Words`."""
        return f"strftime('%Y-%m-%d %H:%M:%S', {instant} / 1000000, 'unixepoch', '+330 minutes')"

    def ist_day(self, instant: str) -> str:
        """See `Words`."""
        return f"strftime('%Y-%m-%d', {instant} / 1000000, 'unixepoch', '+330 minutes')"

    def seconds_now(self) -> str:
        """See `Words`."""
        return "CAST(strftime('%s', 'now') AS INTEGER)"

    def joined(self, value: str, by: str, *, distinct: bool = False) -> str:
        """See `Words`. SQLite's DISTINCT knows no separator but the comma."""
        return f"group_concat(DISTINCT {value})" if distinct else f"group_concat({value}, '{by}')"

    def append_only(self, table: str, columns: list[str] | None) -> Iterator[str]:
        """See `Words`. REPLACE is refused too: it deletes, and recursive_triggers is on."""
        changes = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
        for what, event in (("update", changes), ("delete", "DELETE")):
            yield (
                f"CREATE TRIGGER {table}_no_{what} BEFORE {event} ON {table}\n"
                f"WHEN NOT EXISTS (SELECT 1 FROM permits)\n"
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )

    def touch(self, table: str) -> Iterator[str]:
        """See `Words`. The new value is always greater, so the trigger ends after one step."""
        now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
        yield (
            f"CREATE TRIGGER {table}_touch AFTER UPDATE ON {table}\n"
            f"WHEN NEW.updated_at = OLD.updated_at\n"
            f"BEGIN UPDATE {table} SET updated_at = max({now}, OLD.updated_at + 1)"
            f" WHERE rowid = NEW.rowid; END"
        )

    def functions(self) -> Iterator[str]:
        """See `Words`: SQLite's triggers carry their own text."""
        yield from ()


class PostgresWords:
    """PostgreSQL 14 and newer."""

    name = "postgresql"

    def rupees(self, amount: str) -> str:
        """See `Words`."""
        return (
            f"CASE WHEN {amount} % 100 = 0 THEN round({amount} / 10000.0, 2)::text"
            f" ELSE trim_scale(round({amount} / 10000.0, 4))::text END"
        )

    def ist(self, instant: str) -> str:
        """See `Words`."""
        return f"to_char({self._local(instant)}, 'YYYY-MM-DD HH24:MI:SS')"

    def ist_day(self, instant: str) -> str:
        """See `Words`."""
        return f"to_char({self._local(instant)}, 'YYYY-MM-DD')"

    def _local(self, instant: str) -> str:
        return f"to_timestamp({instant} / 1000000) AT TIME ZONE 'Asia/Kolkata'"

    def seconds_now(self) -> str:
        """See `Words`."""
        return "floor(extract(epoch FROM clock_timestamp()))::bigint"

    def joined(self, value: str, by: str, *, distinct: bool = False) -> str:
        """See `Words`."""
        one = f"DISTINCT {value}" if distinct else f"({value})"
        return f"string_agg({one}, '{by}')"

    def append_only(self, table: str, columns: list[str] | None) -> Iterator[str]:
        """See `Words`. TRUNCATE passes row triggers by, so it has one of its own."""
        changes = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
        for what, event, each in (
            ("update", changes, "ROW"),
            ("delete", "DELETE", "ROW"),
            ("truncate", "TRUNCATE", "STATEMENT"),
        ):
            yield (
                f"CREATE TRIGGER {table}_no_{what} BEFORE {event} ON {table}\n"
                f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )

    def touch(self, table: str) -> Iterator[str]:
        """See `Words`."""
        yield (
            f"CREATE TRIGGER {table}_touch BEFORE UPDATE ON {table}\n"
            f"FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()"
        )

    def functions(self) -> Iterator[str]:
        """See `Words`."""
        yield (
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\n"
            "DECLARE permitted boolean;\n"
            "BEGIN\n"
            "  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.permits)', TG_TABLE_SCHEMA)"
            " INTO permitted;\n"
            "  IF NOT permitted THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF;\n"
            "  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n"
            "  RETURN NEW;\n"
            "END $$"
        )
        yield (
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\n"
            "BEGIN\n"
            "  NEW.updated_at := greatest(OLD.updated_at + 1,"
            " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);\n"
            "  RETURN NEW;\n"
            "END $$"
        )


SQL: Final[dict[str, Words]] = {"sqlite": SqliteWords(), "postgresql": PostgresWords()}
