"""A store's component under CPython, by wasmtime, through its generic component API."""

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Variant

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
        """All pages of a reader, joined."""
        reader = self.call("[static]reader.open", path, [])
        if isinstance(reader, Variant):
            return reader
        pages = []
        while isinstance(page := self.call("[method]reader.next", reader, PAGE_BYTES), bytes):
            pages.append(page)
        reader.drop(self.store)
        return b"".join(pages) if page is None else page

    def write(self, path, documents):
        """Writes by pages that end anywhere."""
        writer = self.call("[static]writer.create", path, [])
        if isinstance(writer, Variant):
            return writer
        for at in range(0, len(documents), PIECE_BYTES):
            # A failure is answered by `finish` again.
            self.call("[method]writer.write", writer, documents[at : at + PIECE_BYTES])
        losses = self.call("[method]writer.finish", writer)
        writer.drop(self.store)
        return losses
