"""Prints, as JSON, what each operation of a store answers under CPython: python answers.py COMPONENT FOLDER OUTSIDE FILE...

And what it answers for the file OUTSIDE, which lies beside the folder.
"""

import json
import sys
from pathlib import Path

from instance import Instance
from wasmtime.component import Record, Variant


def operations(instance, name):
    path = f"/store/{name}"
    load = instance.call("load", path, [])
    done = {
        "load": answer(load),
        "validate": answer(instance.call("validate", path, [])),
        "reader": answer(instance.read(path)),
    }
    if isinstance(load, bytes):
        done["save"] = answer(instance.call("save", f"/store/saved-{name}", load, []))
        done["writer"] = answer(instance.write(f"/store/written-{name}", load))
    return done


def answer(result):
    """An answer, or the error of the contract in its place: the two come untagged."""
    return {"error": plain(result)} if isinstance(result, Variant) else {"ok": plain(result)}


def plain(value):
    """A value of the component model as JSON has it."""
    match value:
        case bytes():
            return value.hex()
        case Variant():
            return {"tag": value.tag, "val": plain(value.payload)}
        case Record():
            return {name: plain(field) for name, field in vars(value).items()}
        case list():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted(value)
    return value


def main(component, folder, outside, *names):
    instance = Instance(component, folder)
    files = {name: operations(instance, name) for name in names}
    paths = [outside, "/store/../" + Path(outside).name, f"/store/{names[0]}/../../{Path(outside).name}"]
    closed = [answer(call) for path in paths for call in (instance.call("load", path, []), instance.write(path, b"\x01"))]
    json.dump({"describe": plain(instance.call("describe")), "files": files, "closed": closed}, sys.stdout)


main(*sys.argv[1:])
