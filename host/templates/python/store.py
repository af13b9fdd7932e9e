"""The component's face: the contract of `wit/` over the store in `format.py`. It need not change."""

from contextlib import contextmanager

from componentize_py_types import Err
from wit_world.imports import types

import autotel_store as kit
from format import FormatStore

STORE = FormatStore()


class Store:
    def describe(self):
        return types.Description(
            name=STORE.name,
            version=STORE.version,
            summary=STORE.summary,
            formats=[describe_format(format) for format in STORE.formats],
            operations=operations(kit.OPERATIONS),
            options=[describe_option(option) for option in STORE.options],
        )

    def load(self, path, options):
        return read(path, options, "load")

    def save(self, path, documents, options):
        writer = Writer.create(path, options)
        writer.write(documents)
        return writer.finish()

    def validate(self, path, options):
        try:
            read(path, options, "validate")
        except Err as error:
            if isinstance(error.value, types.Error_Syntax):
                return [error.value.value]
            raise
        return []


class Reader:
    def __init__(self, path, data, options):
        self.path = path
        self.data = data
        self.options = options
        self.documents = None
        self.given = 0

    @classmethod
    def open(cls, path, options):
        with contract_errors(path):
            return cls(path, read_file(path), resolve_options(options, "load"))

    def next(self, max_bytes):
        if self.documents is None:
            # What is refused is refused again at the next call.
            with contract_errors(self.path):
                self.documents = kit.encode(STORE.parse_bytes(self.data, self.options))
        page = self.documents[self.given : self.given + max(max_bytes, 1)]
        self.given += len(page)
        return page or None


class Writer:
    def __init__(self, file, path, options):
        self.file = file
        self.path = path
        self.options = options
        self.pages = []
        self.error = None

    @classmethod
    def create(cls, path, options):
        with contract_errors(path):
            options = resolve_options(options, "save")
            return cls(open(path, "wb"), path, options)

    def write(self, page):
        if self.error is not None:
            raise self.error
        self.pages.append(page)

    def finish(self):
        if self.error is not None:
            raise self.error
        self.error = Err(types.Error_Unsupported("a call after `finish`"))
        try:
            with contract_errors(self.path), self.file:
                data, losses = STORE.print_document(kit.decode(b"".join(self.pages)), self.options)
                self.file.write(data)
        except Err as error:
            self.error = error
            raise
        return [types.Loss(loss.pointer, loss.what, loss.why) for loss in losses]


def read(path, options, operation):
    """Reads a file as CBOR."""
    with contract_errors(path):
        options = resolve_options(options, operation)
        return kit.encode(STORE.parse_bytes(read_file(path), options))


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


@contextmanager
def contract_errors(path):
    """Turns what Python raises into an error of the contract. Anything else is a bug of the store, and traps."""
    try:
        yield
    except kit.FormatError as error:
        at = error.at and types.Position(error.at.offset, error.at.line, error.at.column)
        raise Err(types.Error_Syntax(types.Problem(str(error), at))) from error
    except kit.UnsupportedError as error:
        raise Err(types.Error_Unsupported(str(error))) from error
    except kit.BoundError as error:
        raise Err(types.Error_TooLarge(types.Bound(str(error), None, error.limit, None))) from error
    except FileNotFoundError as error:
        raise Err(types.Error_NotFound(path)) from error
    except PermissionError as error:
        raise Err(types.Error_Denied(path)) from error
    except OSError as error:
        raise Err(types.Error_Other(str(error))) from error


def resolve_options(options, operation):
    """The options that were given, by name."""
    known = {option.name for option in STORE.options if operation in option.operations}
    for option in options:
        if option.name not in known:
            raise kit.UnsupportedError(f"the option `{option.name}` of `{operation}`")
    return {option.name: option.value.value for option in options}


def describe_format(format):
    """A format in the contract's words."""
    signatures = [types.Signature(prefix, True) for prefix in format.signatures]
    return types.Format(format.name, format.standard, format.extensions, format.media_types, signatures)


def describe_option(option):
    """An option in the contract's words."""
    match option.default:
        case bool():
            kind, default = types.OptionKind_Flag(), types.OptionValue_Flag(option.default)
        case int():
            kind = types.OptionKind_Count(types.CountRange(0, 2**64 - 1))
            default = types.OptionValue_Count(option.default)
        case _ if option.choices:
            kind, default = types.OptionKind_Choice(option.choices), types.OptionValue_Choice(option.default)
        case _:
            kind, default = types.OptionKind_Text(), types.OptionValue_Text(option.default)
    return types.OptionDescription(option.name, option.summary, kind, default, operations(option.operations))


def operations(names):
    """A set of operations in the contract's words."""
    flags = types.Operations(0)
    for name in names:
        flags |= types.Operations[name.upper()]
    return flags
