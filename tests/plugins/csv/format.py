"""CSV (RFC 4180) as a store: a list of maps from the names in the first row, or of lists; each field is text."""

import csv
import io

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
        reader = csv.reader(text, delimiter=delimiter(options), strict=True)
        try:
            rows = [row for row in reader if row] if not options["header"] else named(reader, data)
        except csv.Error as error:
            raise FormatError(str(error), Position.of_line(data, reader.line_num)) from error
        return rows

    def print(self, document, options, lose):
        if not isinstance(document, list):
            raise UnsupportedError("anything but a list of rows")
        rows = unnamed(document, lose) if options["header"] else document
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter(options))
        for index, row in enumerate(rows):
            if not isinstance(row, list) or not row:
                raise UnsupportedError("a row that is no list of fields; with `header`, rows are maps")
            writer.writerow(field(value, f"/{index}/{column}", lose) for column, value in enumerate(row))
        return text.getvalue().encode()


def delimiter(options):
    if len(options["delimiter"]) != 1 or options["delimiter"] in '"\r\n':
        raise UnsupportedError("a delimiter that is not one character, or one that ends a field")
    return options["delimiter"]


def named(reader, data):
    """The rows behind the first as maps from the names in it."""
    names = next((row for row in reader if row), [])
    if len(set(names)) != len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"the column `{name}` comes twice", Position.of_line(data, reader.line_num))
    rows = []
    for row in reader:
        if len(row) == len(names):
            rows.append(dict(zip(names, row)))
        elif row:
            counted = f"{len(row)} fields, where the first row has {len(names)}"
            raise FormatError(counted, Position.of_line(data, reader.line_num))
    return rows


def unnamed(rows, lose):
    """The names of all columns as the first row, then each map as a row."""
    names = list(dict.fromkeys(name for row in rows for name in mapping(row)))
    for name in names:
        if not isinstance(name, str):
            raise UnsupportedError("a column whose name is not text")
    for index, row in enumerate(rows):
        if list(row) != names:
            lose(f"/{index}", "a row whose columns are not those of all, written as empty fields or in another order")
    return [names, *([row.get(name, "") for name in names] for row in rows)] if rows else []


def mapping(row):
    if not isinstance(row, dict) or not row:
        raise UnsupportedError("a row that is no map with a field; without `header`, rows are lists")
    return row


def field(value, pointer, lose):
    """A value as the text of a field."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        raise UnsupportedError("a list or a map in a field")
    lose(pointer, "what is no text, written as text")
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.hex()
        case _:
            return str(value)
