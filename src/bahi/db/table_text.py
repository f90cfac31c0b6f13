"""What a CREATE TABLE of SQLite says, however it is written.

SQLite keeps a table's definition as the text it was given, and parts of it (conflict clauses,
collations, deferral, CHECKs) are to be had nowhere else. Two texts that differ only in spaces,
comments, quotes, capitals, the order of their items, or in whether a rule stands at its column
or below the columns, say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Tokens = tuple[str, ...]

_TOKEN: Final = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<literal>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<other>\w+|[^\s\w])""",
    re.DOTALL | re.VERBOSE,
)
_OF_TABLES: Final = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_OPENS: Final = (_OF_TABLES - {"foreign"}) | {
    *("not", "null", "default", "collate", "references", "generated", "as")
}
_CONTINUES: Final = frozenset(
    [("default", "null"), ("not", "null"), ("set", "null"), ("set", "default"), ("always", "as")]
)
_SAYS_NOTHING: Final = tuple(
    tuple(phrase.split())
    for phrase in (
        "on conflict abort",
        "on delete no action",
        "on update no action",
        "not deferrable initially deferred",
        "not deferrable initially immediate",
        "not deferrable",
        "deferrable initially immediate",
        "generated always",
    )
)


@dataclass(frozen=True)
class Rule:
    """One rule of a table, as if it stood below the columns."""

    name: str
    tokens: Tokens

    @property
    def kind(self) -> str:
        """The word it begins with: primary, unique, check or foreign."""
        return self.tokens[0]

    def __str__(self) -> str:
        """Write it in one way."""
        return " ".join(self.tokens)


@dataclass(frozen=True)
class TableText:
    """A table's columns, rules and options."""

    columns: tuple[Tokens, ...]
    rules: tuple[Rule, ...]
    options: tuple[Tokens, ...]

    @classmethod
    def read(cls, sql: str) -> TableText:
        """Take a CREATE TABLE apart."""
        tokens = tokens_of(sql)
        begin = tokens.index("(") if "(" in tokens else len(tokens)
        end = _closing(tokens, begin)
        columns: list[Tokens] = []
        rules: list[Rule] = []
        for item in _split(tokens[begin + 1 : end]):
            if item[0] in _OF_TABLES:
                rules.append(_rule(item))
            else:
                column, its_rules = _column(item)
                columns.append(column)
                rules += its_rules
        return cls(tuple(columns), tuple(rules), tuple(_split(tokens[end + 1 :])))

    def __str__(self) -> str:
        """Write it in one way; what a rule is called changes no row."""
        items = sorted([" ".join(column) for column in self.columns] + [str(r) for r in self.rules])
        return f"({', '.join(items)}) {', '.join(sorted(' '.join(o) for o in self.options))}"


def tokens_of(sql: str) -> Tokens:
    """Cut SQL into words, signs and literals; only literals keep their capitals and spaces."""
    return tuple(
        found[0] if found.lastgroup == "literal" else _bare(found[0]).lower()
        for found in _TOKEN.finditer(sql)
        if found.lastgroup != "comment"
    )


def _bare(word: str) -> str:
    """Take the quotes off a name that needs none."""
    inner = word[1:-1]
    needs_none = inner.isidentifier() and inner.lower() not in _OPENS | _OF_TABLES
    return inner if word[0] in '"`[' and needs_none else word


def _column(item: Tokens) -> tuple[Tokens, list[Rule]]:
    """Part a column from the rules that are written beside it."""
    (name, *kind), *clauses = _clauses(item)
    stay: list[Tokens] = []
    rules: list[Rule] = []
    called = ""
    for clause in clauses:
        if clause[0] == "constraint":
            called = clause[1]
            continue
        match clause[0]:
            case "check":
                rules.append(_rule(clause, called))
            case "references":
                rules.append(_rule(("foreign", "key", "(", name, ")", *clause), called))
            case "unique":
                rules.append(_rule(("unique", "(", name, ")", *clause[1:]), called))
            case "primary":
                rules.append(_rule(("primary", "key", "(", name, ")", *clause[2:]), called))
            case "null":
                pass
            case _:
                stay.append(_meaningful(clause))
        called = ""
    return (name, *kind, *(token for clause in sorted(stay) for token in clause)), rules


def _clauses(item: Tokens) -> Iterator[Tokens]:
    """Yield a column's name and kind, and then each clause that follows."""
    depth, begin = 0, 0
    for at, token in enumerate(item):
        depth += {"(": 1, ")": -1}.get(token, 0)
        before, after = item[at - 1], item[at + 1 : at + 2]
        goes_on = (before, token) in _CONTINUES or (token, *after) == ("not", "deferrable")
        if at and not depth and token in _OPENS and not goes_on:
            yield item[begin:at]
            begin = at
    yield item[begin:]


def _rule(tokens: Tokens, name: str = "") -> Rule:
    if tokens[0] == "constraint":
        return _rule(tokens[2:], tokens[1])
    return Rule(name, _meaningful(tokens))


def _meaningful(tokens: Tokens) -> Tokens:
    """Leave out what says only that the default is the default."""
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        phrase = next((p for p in _SAYS_NOTHING if tokens[at : at + len(p)] == p), ())
        if not phrase and tokens[at] == "deferrable" and tokens[at + 1 : at + 2] != ("initially",):
            phrase = ("deferrable",)
        if not phrase:
            kept.append(tokens[at])
        at += len(phrase) or 1
    return tuple(kept)


def _split(tokens: Tokens) -> Iterator[Tokens]:
    """Yield what stands between the outermost commas."""
    depth, begin = 0, 0
    for at, sign in enumerate((*tokens, ",")):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            if begin < at:
                yield tokens[begin:at]
            begin = at + 1


def _closing(tokens: Tokens, begin: int) -> int:
    """Find the parenthesis that closes the one at `begin`."""
    depth = 0
    for at in range(begin, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at], 0)
        if not depth:
            return at
    return len(tokens)
