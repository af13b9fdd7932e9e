"""{{title}} as a store: a list of text, each a line of the file. Put your format here in its place."""

from autotel_store import Format, Store, UnsupportedError


class FormatStore(Store):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Lists of text, each a line of the file"
    formats = [Format("{{title}}", "one text a line", extensions=["{{extension}}"])]

    def parse(self, data, options):
        """Gives the document that the bytes of a file hold. Bytes that are not UTF-8 are refused with their place."""
        lines = data.decode().split("\n")
        return lines if lines[-1] else lines[:-1]

    def print(self, document, options, lose):
        """Gives the bytes of a file that holds a document, and tells with `lose` what the format cannot hold."""
        if not isinstance(document, list):
            raise UnsupportedError("anything but a list")
        return "".join(f"{self.line(index, line, lose)}\n" for index, line in enumerate(document)).encode()

    def line(self, index, line, lose):
        if not isinstance(line, str):
            lose(f"/{index}", "what is no text", "a line is text; an empty one is written")
            return ""
        if "\n" in line:
            raise UnsupportedError("a text of several lines")
        return line
