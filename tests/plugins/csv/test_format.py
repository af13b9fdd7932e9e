"""What the format promises, tried without a sandbox."""

import unittest

from autotel_store import FormatError, UnsupportedError
from format import FormatStore


class FormatStoreTest(unittest.TestCase):
    def setUp(self):
        self.store = FormatStore()

    def refused(self, data):
        with self.assertRaises(FormatError) as refused:
            self.store.parse_bytes(data)
        return refused.exception.at.line

    def test_rows_are_maps_from_the_names_in_the_first(self):
        rows = self.store.parse_bytes('\ufeffname,note\r\nré,"a ""b"", c\r\nd"\r\n\r\nx,\r\n'.encode())
        self.assertEqual(rows, [{"name": "ré", "note": 'a "b", c\r\nd'}, {"name": "x", "note": ""}])

    def test_what_is_printed_parses_as_it_was(self):
        for options, document in [
            ({}, [{"a": "1", "b": ' x\ny"'}, {"a": "", "b": "\r"}]),
            ({}, [{"a": ""}, {"a": ""}]),
            ({}, []),
            ({"header": False, "delimiter": ";"}, [["1", "2"], [""], ["3;4"]]),
        ]:
            printed, losses = self.store.print_document(document, options)
            self.assertEqual(self.store.parse_bytes(printed, options), document)
            self.assertEqual(losses, [])

    def test_a_row_of_another_length_and_a_column_twice_are_refused(self):
        self.assertEqual(self.refused(b"a,b\n1,2\n3\n"), 3)
        self.assertEqual(self.refused(b"a,a\n1,2\n"), 1)
        self.assertEqual(self.refused(b'a\n"b\n'), 2)
        self.assertEqual(self.refused(b'a,b\n"1\n2"\n'), 2)

    def test_what_is_no_text_is_told(self):
        printed, losses = self.store.print_document([{"a": 1, "b": None}, {"a": True}])
        self.assertEqual(printed, b"a,b\r\n1,\r\ntrue,\r\n")
        self.assertEqual([loss.pointer for loss in losses], ["/0/a", "/0/b", "/1", "/1/a"])

    def test_documents_that_are_no_rows_are_refused(self):
        for document in [{"a": "1"}, [["1"]], [{}], [{"a": []}], [{1: "a"}], [{"\ufeffa": ""}]]:
            with self.assertRaises(UnsupportedError):
                self.store.print_document(document)


if __name__ == "__main__":
    unittest.main()
