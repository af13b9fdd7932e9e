"""Runs a store's component under CPython, by wasmtime: python python.py COMPONENT FOLDER FILE...

Prints, as JSON, what each operation of the store answers for each file of the folder.
"""

import json
import sys

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

CONTRACT = "autotel:stores/store@0.1.0"
PAGE_BYTES = 1 << 20
PIECE_BYTES = 5


class Instance:
    """A component, with one directory as `/store` and everything else closed."""

    def __init__(self, component, folder):
        engine = Engine(Config())
        self.store = Store(engine)
        wasi = WasiConfig()
        wasi.preopen_dir(folder, "/store")
        self.store.set_wasi(wasi)
        linker = Linker(engine)
        linker.add_wasip2()
        self.instance = linker.instantiate(self.store, Component.from_file(engine, component))

    def call(self, name, *arguments):
        contract = self.instance.get_export_index(self.store, CONTRACT)
        function = self.instance.get_func(self.store, self.instance.get_export_index(self.store, name, contract))
        answer = function(self.store, *arguments)
        function.post_return(self.store)
        return answer

    def read(self, path):
        reader = self.call("[static]reader.open", path, [])
        if isinstance(reader, Variant):
            return reader
        pages = []
        while isinstance(page := self.call("[method]reader.next", reader, PAGE_BYTES), bytes):
            pages.append(page)
        reader.drop(self.store)
        return b"".join(pages) if page is None else page

    def write(self, path, documents):
        writer = self.call("[static]writer.create", path, [])
        for at in range(0, len(documents), PIECE_BYTES):
            self.call("[method]writer.write", writer, documents[at : at + PIECE_BYTES])
        losses = self.call("[method]writer.finish", writer)
        writer.drop(self.store)
        return losses

    def operations(self, name):
        path = f"/store/{name}"
        load = self.call("load", path, [])
        done = {
            "load": answer(load),
            "validate": answer(self.call("validate", path, [])),
            "reader": answer(self.read(path)),
        }
        if isinstance(load, bytes):
            done["save"] = answer(self.call("save", f"/store/saved-{name}", load, []))
            done["writer"] = answer(self.write(f"/store/written-{name}", load))
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


def main(component, folder, *names):
    instance = Instance(component, folder)
    files = {name: instance.operations(name) for name in names}
    json.dump({"describe": plain(instance.call("describe")), "files": files}, sys.stdout)


main(*sys.argv[1:])
