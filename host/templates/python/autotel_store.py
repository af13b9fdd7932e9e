"""The kit for stores in Python: descriptions, what is wrong with a file and where, documents as CBOR.

Runs in a component and, for tests, outside of one. `store.py` is the component's face over it.
"""

import codecs
import io
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

# cbor2 imports these when it meets their tags, and a component imports nothing once it is built.
import decimal, email.parser, fractions, ipaddress, uuid  # noqa: E401, F401

import cbor2

OPERATIONS = ("load", "save", "validate")


@dataclass
class Format:
    """A format that the store reads or writes. `signatures` are bytes that its files begin with."""

    name: str
    standard: str
    extensions: list[str] = field(default_factory=list)
    media_types: list[str] = field(default_factory=list)
    signatures: list[bytes] = field(default_factory=list)


@dataclass
class Option:
    """An option that the store knows. Its default says what it takes: yes or no, a number, one of `choices`, text."""

    name: str
    summary: str
    default: bool | int | str
    choices: list[str] = field(default_factory=list)
    operations: tuple[str, ...] = OPERATIONS


@dataclass
class Position:
    """A place in a file: bytes before it, its line from 1, its character in the line from 1."""

    offset: int
    line: int
    column: int

    @classmethod
    def of(cls, data, offset):
        """The place of the byte at `offset`. A byte-order mark takes no column."""
        before = _with_line_feeds(data[:offset])
        line = before[before.rfind(b"\n") + 1 :]
        if line == before:
            line = line.removeprefix(codecs.BOM_UTF8)
        return cls(offset, before.count(b"\n") + 1, len(line.decode(errors="replace")) + 1)

    @classmethod
    def of_line(cls, data, line):
        """The place where a line begins."""
        lines = _with_line_feeds(data).split(b"\n")
        line = max(1, min(line, len(lines)))
        return cls(sum(len(earlier) + 1 for earlier in lines[: line - 1]), line, 1)


def _with_line_feeds(data):
    """The bytes with a line feed at each end of a line, which LF, CR LF and CR are, and every byte at its place."""
    return data.replace(b"\r\n", b" \n").replace(b"\r", b"\n")


@dataclass
class Loss:
    """What a document held and the format could not: where, as a JSON Pointer, and why and what is written instead."""

    pointer: str
    what: str
    why: str


class FormatError(Exception):
    """The bytes are not of the format; `at` is the first place where that shows."""

    def __init__(self, message, at=None):
        super().__init__(message)
        self.at = at


class UnsupportedError(Exception):
    """What is asked for is outside what the store does: the message names it."""


class BoundError(Exception):
    """A bound of the store was reached."""

    def __init__(self, bound, limit):
        super().__init__(bound)
        self.limit = limit


class Store:
    """A store of one document a file. A subclass says what it is, and has `parse` and `print`."""

    name: str
    version: str
    summary: str
    formats: list[Format]
    options: list[Option] = []

    def parse(self, data, options):
        """Gives the document that the bytes of a file hold."""
        raise NotImplementedError

    def print(self, document, options, lose):
        """Gives the bytes of a file that holds a document."""
        raise NotImplementedError

    def parse_bytes(self, data, options=None):
        """Parses, with every option that is not given at its default."""
        try:
            with bounded_depth():
                return self.parse(data, self._with_defaults(options))
        except UnicodeDecodeError as error:
            raise FormatError("bytes that are not UTF-8", Position.of(data, error.start)) from error

    def print_document(self, document, options=None):
        """Prints, with every option that is not given at its default, and lists what was lost."""
        losses = []
        with bounded_depth():
            lose = lambda pointer, what, why: losses.append(Loss(pointer, what, why))
            return self.print(document, self._with_defaults(options), lose), losses

    def _with_defaults(self, options):
        return {option.name: option.default for option in self.options} | (options or {})


@contextmanager
def bounded_depth():
    """Turns a recursion that is too deep into a bound of the store."""
    try:
        yield
    except RecursionError as error:
        raise BoundError("depth", sys.getrecursionlimit()) from error


def encode(document):
    """Gives a document as CBOR."""
    pieces = []
    with bounded_depth():
        _encode(document, pieces.append, {})
    return b"".join(pieces)


def _encode(value, add, texts):
    """Writes what most documents are made of. In a component cbor2 has no C part, and takes twice as long."""
    kind = type(value)
    if kind is str:
        piece = texts.get(value)
        if piece is None:
            text = value.encode()
            piece = texts[value] = _head(0x60, len(text)) + text
        add(piece)
    elif kind is dict:
        add(_head(0xA0, len(value)))
        for key, inner in value.items():
            _encode(key, add, texts)
            _encode(inner, add, texts)
    elif kind is list:
        add(_head(0x80, len(value)))
        for inner in value:
            _encode(inner, add, texts)
    else:
        add(cbor2.dumps(value))


def _head(major, length):
    """The head of a data item (RFC 8949 section 3)."""
    if length < 24:
        return bytes((major + length,))
    size = 0 if length < 1 << 8 else 1 if length < 1 << 16 else 2 if length < 1 << 32 else 3
    return bytes((major + 24 + size,)) + length.to_bytes(1 << size, "big")


def decode(documents):
    """Gives the one document of a CBOR sequence."""
    sequence = io.BytesIO(documents)
    try:
        with bounded_depth():
            document = cbor2.load(sequence)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise UnsupportedError(f"what is no document: {error}") from error
    if sequence.tell() != len(documents):
        raise UnsupportedError("more than one document in a file")
    return document
