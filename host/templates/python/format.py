"""{{title}} as a store: a list of text, each a line of the file. Put your format here in its place."""

from autotel_store import Format, Store, Unsupported


class FormatStore(Store):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Lists of text, each a line of the file"
    formats = [Format("{{title}}", "one text a line", extensions=["{{extension}}"])]

    def parse(self, data, options):
        """Gives the document that the bytes of a file hold. Bytes that are not UTF-8 are refused with their place."""
        return data.decode().splitlines()

    def print(self, document, options, lose):
        """Gives the bytes of a file that holds a document, and tells with `lose` what the format cannot hold."""
        if not isinstance(document, list):
            raise Unsupported("anything but a list")
        for index, line in enumerate(document):
            if not isinstance(line, str):
                lose(f"/{index}", f"what is no text, written as {line}")
        return "".join(f"{line}\n" for line in document).encode()
