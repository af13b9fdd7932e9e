"""CSV (RFC 4180) as a store: a list of maps from the names in the first row, or of lists; each field is text.

A file whose only row names the columns is an empty list, as one without a row is.
"""

import csv
import io
from collections import Counter
from decimal import Decimal

from autotel_store import Format, FormatError, Option, Position, Store, UnsupportedError

# A field is as long as memory allows, which the host bounds.
csv.field_size_limit(2**31 - 1)


class FormatStore(Store):
    name = "csv-store"
    version = "0.1.0"
    summary = "CSV, a list of maps from the names in the first row"
    formats = [Format("CSV", "RFC 4180", extensions=["csv"], media_types=["text/csv"])]
    options = [
        Option("header", "whether the first row names the columns; otherwise rows are lists", default=True),
        Option("delimiter", "the character between fields", default=","),
    ]

    def parse(self, data, options):
        text = io.StringIO(data.decode().removeprefix("\ufeff"), newline="")
        rows = Rows(csv.reader(text, delimiter=delimiter(options), strict=True), data)
        return named(rows) if options["header"] else list(rows)

    def print(self, document, options, lose):
        if not isinstance(document, list):
            raise UnsupportedError("anything but a list of rows")
        rows = unnamed(document, lose) if options["header"] else unnamed_lists(document, lose)
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter(options)).writerows(rows)
        if text.getvalue().startswith("\ufeff"):
            raise UnsupportedError("a first field that begins with a byte-order mark, which would be taken for the file's")
        return text.getvalue().encode()


class Rows:
    """The rows of a file that hold anything, and how a row is refused: where it begins."""

    def __init__(self, reader, data):
        self.reader = reader
        self.data = data
        self.line = 1

    def __iter__(self):
        return self

    def __next__(self):
        self.line = self.reader.line_num + 1
        try:
            row = next(self.reader)
        except csv.Error as error:
            raise self.refused(str(error)) from error
        return row or next(self)

    def refused(self, message):
        return FormatError(message, Position.of_line(self.data, self.line))


def delimiter(options):
    if len(options["delimiter"]) != 1 or options["delimiter"] in '"\r\n':
        raise UnsupportedError("a delimiter that is not one character, or one that ends a field")
    return options["delimiter"]


def named(rows):
    """The rows behind the first as maps from the names in it."""
    names = next(rows, [])
    if len(set(names)) != len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise rows.refused(f"the column `{twice}` comes twice")
    maps = []
    for row in rows:
        if len(row) != len(names):
            raise rows.refused(f"{len(row)} fields, where the first row has {len(names)}")
        maps.append(dict(zip(names, row)))
    return maps


def unnamed(rows, lose):
    """The names of all columns as the first row, then each map as a row."""
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not row:
            raise UnsupportedError(f"row {index}, which is no map with a field; without `header`, rows are lists")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if any(not isinstance(name, str) for name in names):
        raise UnsupportedError("a column whose name is not text")
    if rows:
        yield names
    for index, row in enumerate(rows):
        if list(row) != names:
            lose(f"/{index}", "a row whose columns are not those of all", "its fields are written in their order, or empty")
        yield [field(row.get(name, ""), f"/{index}/{escaped(name)}", lose) for name in names]


def unnamed_lists(rows, lose):
    for index, row in enumerate(rows):
        if not isinstance(row, list) or not row:
            raise UnsupportedError(f"row {index}, which is no list of fields; with `header`, rows are maps")
        yield [field(value, f"/{index}/{column}", lose) for column, value in enumerate(row)]


def field(value, pointer, lose):
    """A value as the text of a field."""
    match value:
        case str():
            return value
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case int() | float() | Decimal():
            text = str(value)
        case _:
            raise UnsupportedError(f"what is no text, number or truth value, at `{pointer}`")
    lose(pointer, "what is no text", f"a field is text; `{text}` is written")
    return text


def escaped(name):
    """A name as a part of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")
