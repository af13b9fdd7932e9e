"""What the format promises, tried without a sandbox."""

import unittest
from decimal import Decimal

from autotel_store import FormatError, UnsupportedError, decode, encode
from format import FormatStore


class FormatStoreTest(unittest.TestCase):
    def setUp(self):
        self.store = FormatStore()

    def test_what_is_printed_parses_as_it_was(self):
        for document in [], [""], ["one", "", "zwei\r", "三\u2028"]:
            data, losses = self.store.print_document(document)
            self.assertEqual(self.store.parse_bytes(data), document)
            self.assertEqual(losses, [])

    def test_what_the_format_cannot_hold_is_told(self):
        _, losses = self.store.print_document(["one", 2])
        self.assertEqual([loss.pointer for loss in losses], ["/1"])

    def test_what_would_come_back_as_something_else_is_refused(self):
        for document in {"no": "list"}, ["one\ntwo"]:
            with self.assertRaises(UnsupportedError):
                self.store.print_document(document)

    def test_documents_come_back_from_cbor(self):
        document = {"a": [1, -1.5, None, True, "é" * 300, b"b", 2**70, Decimal("1.10")], 1: {}}
        self.assertEqual(decode(encode(document)), document)

    def test_bytes_that_are_no_text_are_refused_where_they_stand(self):
        with self.assertRaises(FormatError) as refused:
            self.store.parse_bytes(b"\xef\xbb\xbfone\ntw\xff\n")
        at = refused.exception.at
        self.assertEqual((at.offset, at.line, at.column), (9, 2, 3))


if __name__ == "__main__":
    unittest.main()
