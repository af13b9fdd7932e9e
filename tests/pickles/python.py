"""Pickles of the interpreter that runs this, for any CPython from 2.7 on.

    python.py make FOLDER    writes a pickle of each value in each protocol, files of NumPy and joblib where it has
                             those, the pickles of CPython's own tests and random ones, and what each says as JSON beside
                             it; those that are none end with `.refused`
    python.py read FOLDER    loads what was written back, and tells of each that is not the value
    python.py list FOLDER    writes what pickletools say of each pickle beside it, or tells why not
"""

from __future__ import print_function, unicode_literals

import array
import collections
import datetime
import decimal
import fractions
import io
import json
import os
import pickle
import pickletools
import random
import sys
import unittest
import uuid

IS_2 = sys.version_info[0] == 2
DAY = datetime.date(2020, 2, 29)
MOMENT = datetime.datetime(2020, 1, 2, 3, 4, 5, 6)

Point = collections.namedtuple(str("Point"), "x y")


class Order(object):
    def __init__(self):
        self.price = 1.5


class Slotted(object):
    __slots__ = ("price", "count")

    def __init__(self):
        self.price, self.count = 1.5, 2


ROW = [1, "two"]
CYCLE = [1]
CYCLE.append(CYCLE)


def named(name, value):
    return [name, value]


# Name, value, and what the document is as JSON. Of these, what is written is read by Python as the same value.
BOTH_WAYS = [
    ("constants", [None, True, False], [None, True, False]),
    ("integers", [0, -1, 255, 65536, -70000, 2**31], [0, -1, 255, 65536, -70000, 2**31]),
    ("large", [2**63, 2**64, -(2**63), -(2**100)], [2**63, 2**64, -(2**63), -(2**100)]),
    ("floats", [1.5, -0.0, 1e300], [1.5, -0.0, 1e300]),
    ("text", ["", "\u00e9\u20ac", "a\n'\"\\\x00"], ["", "\u00e9\u20ac", "a\n'\"\\\x00"]),
    ("bytes", [bytearray(b"xy")], [named("bytearray", "eHk")]),
    ("containers", {"a": [1, [], {}], "b": {"c": None}}, {"a": [1, [], {}], "b": {"c": None}}),
    ("sets", [set([1]), frozenset([2])], [[1], named("frozenset", [2])]),
    ("complex", complex(1, 2), [1.0, 2.0]),
    ("days", [DAY, MOMENT, datetime.time(1, 2, 3)],
     ["2020-02-29", named("datetime.datetime", "2020-01-02T03:04:05.000006"), named("datetime.time", "01:02:03")]),
    ("durations", datetime.timedelta(1, 2, 3), named("datetime.timedelta", [1, 2, 3])),
    ("decimals", [decimal.Decimal("1.5"), decimal.Decimal("NaN")], [1.5, named("decimal.Decimal", "NaN")]),
    ("fractions", fractions.Fraction(1, 3), [1, 3]),
    ("uuids", uuid.UUID(int=1), named("uuid.UUID", "00000000-0000-0000-0000-000000000001")),
    ("ordered", collections.OrderedDict([("a", 1)]), named("collections.OrderedDict", {"a": 1})),
    ("counters", collections.Counter("aab"), named("collections.Counter", {"a": 2, "b": 1})),
    ("deques", collections.deque([1, 2]), named("collections.deque", [1, 2])),
]
READ_ONLY = [
    ("tuples", [(), (1,), (1, 2, 3, 4)], [[], [1], [1, 2, 3, 4]]),
    ("keys", {(1, 2): None}, {"[1,2]": None}),
    ("defaults", collections.defaultdict(list, a=[1]),
     named("collections.defaultdict", {"default_factory": "builtins.list", "items": {"a": [1]}})),
    ("bounded", collections.deque([1], 2), named("collections.deque", {"items": [1], "maxlen": 2})),
    ("arrays", array.array(str("i"), [1, -2]), named("array.array", {"typecode": "i", "items": [1, -2]})),
    ("points", Point(1, 2), named("__main__.Point", [1, 2])),
    ("orders", Order(), named("__main__.Order", {"price": 1.5})),
    ("shared", {"first": ROW, "second": ROW}, {"first": [1, "two"], "second": [1, "two"]}),
    ("cycles", CYCLE, [1, 0]),
]
# Python 2 pickles these in protocol 2 and above.
SLOTTED = ("slotted", Slotted(), named("__main__.Slotted", {"price": 1.5, "count": 2}))

if not IS_2:
    import http
    import pathlib
    import types

    zone = datetime.timezone(datetime.timedelta(hours=2))
    BOTH_WAYS += [
        ("raw", [b"\xff\x00", b""], ["_wA", ""]),
        ("moments", MOMENT.replace(tzinfo=zone), "2020-01-02T03:04:05.000006+02:00"),
        ("paths", pathlib.PurePosixPath("/a/b"), named("pathlib.PurePosixPath", "/a/b")),
        ("ranges", range(1, 9, 2), named("range", [1, 9, 2])),
    ]
    READ_ONLY += [
        ("surrogates", "\ud800x", "7aCAeA"),
        ("enumerations", http.HTTPStatus.OK, named("http.HTTPStatus", 200)),
        ("namespaces", types.SimpleNamespace(a=1), named("types.SimpleNamespace", {"a": 1})),
    ]

try:
    import dataclasses

    Account = dataclasses.make_dataclass("Account", ["name", "roles"])
    Key = dataclasses.make_dataclass("Key", ["number"], frozen=True)
    Account.__module__ = Key.__module__ = __name__
    READ_ONLY += [
        ("accounts", [Account("Eve", ["admin"]), Key(7)],
         [named("__main__.Account", {"name": "Eve", "roles": ["admin"]}), named("__main__.Key", {"number": 7})]),
    ]
except ImportError:
    pass

# Name and content of a file that is no pickle, and what the document is as JSON.
FILES = []

try:
    import joblib
    import numpy

    def ndarray(dtype, data):
        return named("numpy.ndarray", {"dtype": dtype, "data": data})

    def written(write, *arguments, **options):
        file = io.BytesIO()
        write(file, *arguments, **options)
        return file.getvalue()

    matrix = numpy.arange(4, dtype="i2").reshape(2, 2)
    rows = ndarray("int16", [[0, 1], [2, 3]])
    days = numpy.array(["2020-01-01"], dtype="M8[D]")
    objects = numpy.array([1, "x", None], dtype=object)
    ARRAYS = [
        ("rows", matrix, rows),
        ("columns", numpy.asfortranarray(matrix), rows),
        ("swapped", matrix.astype(">f8"), ndarray("float64", [[0.0, 1.0], [2.0, 3.0]])),
        ("halves", numpy.array([0.5, -2.0], dtype="f2"), ndarray("float16", [0.5, -2.0])),
        ("words", numpy.array(["ab", "c"]), ndarray("str64", ["ab", "c"])),
        ("surrogates", numpy.array(["\ud800x"]), ndarray("str64", ["7aCAeA"])),
        ("days", days, ndarray("datetime64[D]", [18262])),
        ("objects", objects, ndarray("object", [1, "x", None])),
        ("turned", matrix.reshape(2, 1, 2).transpose(2, 0, 1), ndarray("int16", [[[0], [2]], [[1], [3]]])),
        ("columns_of_objects", numpy.asfortranarray(matrix.astype(object)), ndarray("object", [[0, 1], [2, 3]])),
        ("none", numpy.zeros((0, 2)), named("numpy.ndarray", {"dtype": "float64", "data": [], "shape": [0, 2]})),
        ("single", numpy.array(True), ndarray("bool", True)),
    ]
    READ_ONLY += [("numpy_" + name, array, expected) for name, array, expected in ARRAYS]
    READ_ONLY += [("scalars", numpy.float64(1.5), named("numpy.float64", 1.5))]
    FILES += [(name + ".npy", written(numpy.save, array), expected) for name, array, expected in ARRAYS]
    FILES += [
        (name, written(save, **{array: value for array, value, _ in ARRAYS}), {array: value for array, _, value in ARRAYS})
        for name, save in [("stored.npz", numpy.savez), ("deflated.npz", numpy.savez_compressed)]
    ]
    FILES += [("nothing.npz", written(numpy.savez), {})]
    # One of objects is a pickle within the pickle, which is refused.
    plain = [row for row in ARRAYS if row[1].dtype != object]
    together = {"list": [1, None], "arrays": {name: array for name, array, _ in plain}}
    told = {"list": [1, None], "arrays": {name: expected for name, _, expected in plain}}
    for codec in [None, "zlib", "gzip", "bz2", "lzma", "xz", "lz4"]:
        content = io.BytesIO()
        joblib.dump(together, content, compress=(codec, 3) if codec else 0)
        FILES.append(("%s.joblib" % codec, content.getvalue(), told))
except ImportError:
    pass


def pickletester():
    """The pickles that CPython's own tests have, by protocol: of one value, whose instances are of a class. Python 2 has
    them of a class that is called."""
    if IS_2:
        return
    try:
        from test import pickletester as tests
    except ImportError:
        return
    instance = named("__main__.C", {"foo": 1, "bar": 2})
    numbers = [0, 1, 2.0, [3.0, 0.0], 1, -1, 255, -255, -256, 65535, -65535, -65536]
    numbers += [2147483647, -2147483647, -2147483648]
    twice = ["abc", "abc", instance, instance]
    for protocol in range(5):
        data = getattr(tests, "DATA%d" % protocol, None)
        if data:
            yield "pickletester%d.pkl" % protocol, data, numbers + [twice, twice, 5]


def is_plain(value):
    """Whether it is what JSON can say, and not within itself."""
    try:
        return is_json(value)
    except RecursionError:
        return False


def is_json(value):
    if isinstance(value, (list, tuple)):
        return all(map(is_json, value))
    if isinstance(value, dict):
        return all(type(key) is str and is_json(item) for key, item in value.items())
    return value is None or type(value) in (bool, int, float, str)


def is_read_alike(content):
    """Whether it names nothing, and its memo is numbered in one way."""
    try:
        opcodes = set(opcode.name for opcode, _, _ in pickletools.genops(content))
    except UnicodeError:
        # It names something beyond ASCII, which pickletools do not list.
        return False
    return not opcodes & {"GLOBAL", "STACK_GLOBAL", "INST"} and not ("PUT" in opcodes and "BINGET" in opcodes)


def unpickled_in_tests():
    """The pickles that CPython's own tests load: each with whether that fails, and what is loaded."""
    if IS_2:
        return
    try:
        from test import pickletester as tests
    except ImportError:
        return
    loaded = {}

    class Recording(getattr(tests, "AbstractUnpickleTests", None) or tests.AbstractUnpicklingTests, unittest.TestCase):
        unpickler, _unpickler = pickle.Unpickler, pickle._Unpickler
        bad_stack_errors = truncated_errors = size_overflow_errors = Exception

        def loads(self, content, **options):
            try:
                value = pickle.loads(content, **options)
            except Exception:
                loaded.setdefault(bytes(content), (True, None))
                raise
            loaded.setdefault(bytes(content), (False, value))
            return value

    tests = unittest.defaultTestLoader.loadTestsFromTestCase(Recording)
    unittest.TextTestRunner(stream=io.StringIO()).run(tests)
    for content, (fails, value) in loaded.items():
        yield content, fails, value


# Instructions, how many values each takes from the stack, and how many it leaves; `None` for all down to the mark.
PROGRAM = [
    (b"N", 0, 1), (b"\x88", 0, 1), (b"K\x07", 0, 1), (b"M\x00\x01", 0, 1), (b"G?\xf8\0\0\0\0\0\0", 0, 1),
    (b"\x8c\x01a", 0, 1), (b"\x8c\x01b", 0, 1), (b"\x8c\x01c", 0, 1), (b"]", 0, 1), (b"}", 0, 1), (b")", 0, 1),
    (b"(", 0, 0), (b"(", 0, 0), (b"a", 2, 1), (b"a", 2, 1), (b"s", 3, 1), (b"s", 3, 1), (b"e", None, 0), (b"u", None, 0),
    (b"t", None, 1), (b"l", None, 1), (b"d", None, 1), (b"1", None, 0), (b"\x85", 1, 1), (b"\x86", 2, 1),
    (b"\x87", 3, 1), (b"0", 1, 0), (b"2", 1, 2), (b"\x94", 1, 1), (b"q\0", 1, 1), (b"q\1", 1, 1), (b"h\0", 0, 1),
    (b"h\1", 0, 1), (b"h\2", 0, 1),
]


def program(numbers):
    """Random instructions, most of which find on the stack what they need."""
    written, height, marks = [b"\x80\x04"], 0, []
    for _ in range(numbers.randint(3, 25)):
        code, takes, leaves = numbers.choice(PROGRAM)
        above = height - (marks[-1] if marks else 0)
        is_sound = bool(marks) if takes is None else takes <= above
        if not is_sound and numbers.random() < 0.97:
            continue
        written.append(code)
        if code == b"(":
            marks.append(height)
        elif takes is None:
            height = (marks.pop() if marks else 0) + leaves
        else:
            height += leaves - takes
    # All that is left becomes one value.
    for mark in reversed(marks):
        written.append(b"l")
        height = mark + 1
    return b"".join(written) + b"\x86" * (height - 1) + b"."


def random_programs():
    """Random pickles: each with whether loading it fails, and what is loaded."""
    numbers = random.Random(sys.version_info[1])
    for _ in range(0 if IS_2 else 200):
        content = program(numbers)
        try:
            yield content, False, pickle.loads(content)
        except Exception:
            yield content, True, None


def make_of_others(folder, name, pickles):
    for number, (content, fails, value) in enumerate(pickles):
        stem = os.path.join(folder, "%s%d" % (name, number))
        if fails:
            with open(stem + ".refused", "wb") as file:
                file.write(content)
        elif is_plain(value) and is_read_alike(content):
            with open(stem + ".pkl", "wb") as file:
                file.write(content)
            with open(stem + ".json", "w") as file:
                json.dump(value, file)


def make(folder):
    make_of_others(folder, "unpickled", unpickled_in_tests())
    make_of_others(folder, "random", random_programs())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for name, value, expected in BOTH_WAYS + READ_ONLY + ([SLOTTED] if protocol >= 2 else []):
            stem = os.path.join(folder, "%s.%d" % (name, protocol))
            with open(stem + ".pickle", "wb") as file:
                file.write(pickle.dumps(value, protocol))
            with io.open(stem + ".json", "w", encoding="utf-8") as file:
                file.write(("%s" % json.dumps(expected)))
    for name, content, expected in FILES + list(pickletester()):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("latin-1"))
        with io.open(os.path.join(folder, name.split(".")[0] + ".json"), "w", encoding="utf-8") as file:
            file.write("%s" % json.dumps(expected))


def read(folder):
    values = {name: value for name, value, _ in BOTH_WAYS}
    count = 0
    for file_name in sorted(os.listdir(folder)):
        name, written = file_name.split(".")[0], file_name.split(".")[-1]
        if written.startswith("written") and int(written[-1]) <= pickle.HIGHEST_PROTOCOL and name in values:
            with open(os.path.join(folder, file_name), "rb") as file:
                value = pickle.load(file)
            count += 1
            # What is no number does not equal itself, and what is of another type may be equal. Integers of Python 2 are of
            # two types.
            is_it = repr(value) == repr(values[name]) or (IS_2 and value == values[name])
            if not is_it:
                print("%s: %r is not %r" % (file_name, value, values[name]))
    assert count, "nothing was written"


def instructions(folder):
    if IS_2:
        return print("Python 2 shows texts in another way")
    for file_name in sorted(os.listdir(folder)):
        if file_name.endswith(".pickle"):
            path = os.path.join(folder, file_name)
            with open(path, "rb") as file, io.open(path + ".txt", "w", encoding="utf-8") as to:
                pickletools.dis(file, to)


if __name__ == "__main__":
    {"make": make, "read": read, "list": instructions}[sys.argv[1]](sys.argv[2])
