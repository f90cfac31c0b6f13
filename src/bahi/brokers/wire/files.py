"""How an instrument file is read: unpacked as it comes, cut into lines, never held whole.

A file that is empty, cut short, somebody's error page or another broker's is a NotAMaster with one
sentence that says so.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import IO, Any, BinaryIO, Final, NamedTuple, cast

from bahi.kernel.listings import NotAMaster

CHUNK_BYTES: Final = 1 << 18
HEAD_BYTES: Final = 1 << 14
LONGEST_LINE: Final = 1 << 16  # characters
MAX_UNPACKED_BYTES: Final = 1 << 30

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK"
_BOM: Final = b"\xef\xbb\xbf"
_MARKS: Final = (
    ("SEM_EXM_EXCH_ID", "Dhan's compact file"),
    ("UNDERLYING_SECURITY_ID", "Dhan's detailed file"),
    ("instrument_token,", "Kite's file"),
    ('"instrument_key":', "Upstox's JSON file"),
    ('"instrument_key",', "Upstox's old CSV file"),
    ("brsymbol", "an OpenAlgo host's file"),
    ('"ExchangeCode"', "one text of ICICI Breeze's zip"),
    ('"exch_seg"', "Angel's JSON file"),
    ('"errors"', "a JSON error answer"),
)
# What gzip, zlib and zipfile raise over bytes that are not what they should be.
_DAMAGE: Final = (
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_SPACES: Final = dict.fromkeys(map(ord, " \t\r\n"))


class Row(NamedTuple):
    """One line of a CSV file: its number, its cells, and what is wrong with it if anything is."""

    line: int
    cells: Sequence[str]
    fault: str = ""


def head_of(file: IO[bytes], expected: str) -> bytes:
    """Return how a file begins, unpacked, and go back to where it stood."""
    start = file.tell()
    head = b"".join(_few(_chunks(file, expected), HEAD_BYTES))[:HEAD_BYTES]
    file.seek(start)
    return head


def looks_like(head: bytes) -> str:
    """Say what the beginning of a file looks like."""
    if head[:2] == _ZIP:
        return "a zip archive"
    text = head.removeprefix(_BOM).decode("utf-8", "replace").lstrip()
    if text.startswith("<"):
        return "an HTML page"
    if '"status":"error"' in text.translate(_SPACES):
        return "a JSON error answer"
    for mark, whose in _MARKS:
        if mark in text:
            return whose
    if "\ufffd" in text or "\0" in text:
        return "no text at all"
    return "JSON of somebody else" if text[:1] in ("{", "[") else "no instrument file that is known"


def refused(expected: str, why: str, head: bytes = b"") -> NotAMaster:
    """Make the sentence that says what a file is not, and what it looks like."""
    looks = f"; it looks like {looks_like(head)}" if head.strip() else ""
    return NotAMaster(f"This is not {expected}: {why}{looks}.")


def zip_of(file: BinaryIO, expected: str) -> zipfile.ZipFile:
    """Open a zip archive."""
    start = file.tell()
    begins = file.read(2)
    file.seek(start)
    if begins != _ZIP:
        head = head_of(file, expected)
        raise refused(expected, "it is no zip archive" if head.strip() else "it is empty", head)
    try:
        return zipfile.ZipFile(file)
    except _DAMAGE as wrong:
        raise _damaged(expected, wrong) from None


def member_of(archive: zipfile.ZipFile, name: str, expected: str) -> IO[bytes]:
    """Open one text of a zip archive."""
    try:
        return archive.open(name)
    except (*_DAMAGE, RuntimeError) as wrong:  # RuntimeError: a password or a method of its own
        raise _damaged(expected, wrong) from None


def header_of(line: str) -> list[str]:
    """Return the names of the columns; ICICI puts a space before its quotes."""
    try:
        return [
            name.strip() for name in next(csv.reader((line,), strict=True, skipinitialspace=True))
        ]
    except (csv.Error, StopIteration):
        return []


def rows(
    file: IO[bytes], expected: str, columns: Sequence[str], *, may_end_open: bool = False
) -> Iterator[Row]:
    """Yield the lines of a CSV file, each as the cells of these columns, in this order.

    `may_end_open`: this file's last line never ends with a line's end, so only its columns can say
    whether it was cut.
    """
    head = head_of(file, expected)
    lines = _lines(file, expected, head)
    header = header_of(next(lines, (1, "", True))[1])
    if missing := [name for name in columns if name not in header]:
        raise refused(expected, f"it has no column {', '.join(missing[:4])}", head)
    wanted, width = itemgetter(*(header.index(name) for name in columns)), len(header)
    line = 1
    for line, text, ended in lines:
        cells = _cells(text, width)
        if not ended and (len(cells) != width or not may_end_open):
            raise NotAMaster(f"{_started(expected)} ends in the middle of line {line}: it was cut.")
        if len(cells) != width:
            yield Row(line, (), _miscounted(len(cells), width))
        else:
            yield Row(line, wanted(cells))
    if line == 1:
        raise NotAMaster(f"{_started(expected)} has columns and no line.")


def entries(file: BinaryIO, expected: str) -> Iterator[tuple[int, Any]]:
    """Yield the entries of a JSON array, numbered from one, with every number as its text."""
    text = _Json(file, expected)
    if text.peek() != "[":
        raise refused(expected, "it is no JSON array", head_of(file, expected))
    yield from text.array()
    if text.peek():
        raise NotAMaster(f"{_started(expected)} goes on behind its end.")


def enveloped(file: BinaryIO, expected: str, key: str) -> Iterator[tuple[int, Any]]:
    """Yield the entries of the array that a JSON object holds under a key."""
    text = _Json(file, expected)
    if text.peek() != "{":
        raise refused(expected, "it is no JSON object", head_of(file, expected))
    before = text.upto(f'"{key}"')
    if before is None:
        raise refused(expected, f"it holds no {key}", head_of(file, expected))
    yield from text.array()
    answer = text.rest(f'{before}"{key}":0')
    if answer.get("status") != "success":
        raise NotAMaster(f"{_started(expected)} is the answer to a call that did not succeed.")


class _Json:
    """A JSON text of which only a window is held."""

    def __init__(self, file: BinaryIO, expected: str) -> None:
        head = head_of(file, expected)
        if not head.strip():
            raise refused(expected, "it is empty")
        self._chunks = _text(_chunks(file, expected), expected, head)
        self._decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
        self._expected = expected
        self._window, self._at = "", 0
        self._more()

    def peek(self) -> str:
        """Return the next character that is no space, without taking it; none at the end."""
        while True:
            while self._at < len(self._window):
                if self._window[self._at] not in " \t\r\n":
                    return self._window[self._at]
                self._at += 1
            if not self._more():
                return ""

    def upto(self, key: str) -> str | None:
        """Pass the text before a key near the beginning, and its colon; None: it is not there."""
        found = self._window.find(key, self._at, HEAD_BYTES)
        if found < 0:
            return None
        before = self._window[self._at : found]
        self._at = found + len(key)
        if self.peek() != ":":
            return None
        self._at += 1
        return before if self.peek() == "[" else None

    def array(self) -> Iterator[tuple[int, Any]]:
        """Yield the entries of the array that begins here."""
        self._at += 1
        number = 0
        if self.peek() == "]":
            self._at += 1
            raise NotAMaster(f"{_started(self._expected)} has no entry.")
        while True:
            number += 1
            self.peek()
            yield number, self._value(number)
            mark = self.peek()
            self._at += 1
            if mark == "]":
                return
            if mark != ",":
                raise self._cut(number)

    def rest(self, before: str) -> dict[str, Any]:
        """Read the object that this text and what is left make together."""
        left = self._window[self._at :]
        while self._more() and len(left) < LONGEST_LINE:
            left = self._window[self._at :]
        try:
            answer = json.loads(before + left)
        except (ValueError, RecursionError):
            raise NotAMaster(f"{_started(self._expected)} breaks off behind its list.") from None
        return answer if isinstance(answer, dict) else {}

    def _value(self, number: int) -> Any:
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._window, self._at)
            except RecursionError:
                raise self._cut(number) from None
            except ValueError:  # broken, or the window ends within it
                if len(self._window) - self._at > LONGEST_LINE or not self._more():
                    raise self._cut(number) from None
            else:
                return value

    def _more(self) -> bool:
        chunk = next(self._chunks, "")
        if chunk:
            self._window, self._at = self._window[self._at :] + chunk, 0
        return bool(chunk)

    def _cut(self, number: int) -> NotAMaster:
        return NotAMaster(
            f"{_started(self._expected)} breaks at entry {number}: it was cut, or is no JSON there."
        )


def _chunks(file: IO[bytes], expected: str) -> Iterator[bytes]:
    total = 0
    try:
        start = file.tell()
        packed = file.read(2) == _GZIP
        file.seek(start)
        source = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        while chunk := source.read(CHUNK_BYTES):
            total += len(chunk)
            if total > MAX_UNPACKED_BYTES:
                raise NotAMaster(f"{_started(expected)} unpacks to more than 1 GiB.")
            yield chunk
    except _DAMAGE as wrong:
        raise _damaged(expected, wrong) from None


def _damaged(expected: str, wrong: Exception) -> Exception:
    if isinstance(wrong, OSError) and wrong.errno is not None:
        return wrong  # the disk's fault, not the file's
    return NotAMaster(f"{_started(expected)} is packed, and was cut short or damaged.")


def _text(chunks: Iterator[bytes], expected: str, head: bytes) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
    try:
        for chunk in chunks:
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text
    except UnicodeDecodeError:
        why = "it is no text in UTF-8, or was cut within a letter"
        raise refused(expected, why, head) from None


def _lines(file: IO[bytes], expected: str, head: bytes) -> Iterator[tuple[int, str, bool]]:
    """Yield each line, its number, and whether it has an end; a line without one is the last."""
    number, open_end = 0, ""
    for chunk in _text(_chunks(file, expected), expected, head):
        parts = (open_end + chunk).split("\n")
        open_end = parts.pop()
        for part in parts:
            number += 1
            if part and part != "\r":
                yield number, part[:-1] if part[-1] == "\r" else part, True
        if len(open_end) > LONGEST_LINE:
            raise refused(expected, f"line {number + 1} is longer than a line can be", head)
    if open_end.strip():
        yield number + 1, open_end.removesuffix("\r"), False
    elif not number:
        raise refused(expected, "it is empty")


def _cells(text: str, width: int) -> list[str]:
    """Cut one line; a quote that does not close spoils that line and no other."""
    if '"' not in text:
        return text.split(",")
    if text.count('"') == 2 * width and text[0] == text[-1] == '"':
        cells = text[1:-1].split('","')
        if len(cells) == width:
            return cells
    try:
        return next(csv.reader((text,), strict=True))
    except csv.Error:
        return []


def _miscounted(cells: int, width: int) -> str:
    if not cells:
        return "its quotes do not close"
    return f"it has {cells} columns where the header has {width}"


def _few(chunks: Iterator[bytes], enough: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        yield chunk
        total += len(chunk)
        if total >= enough:
            return


def _started(expected: str) -> str:
    return expected[:1].upper() + expected[1:]
