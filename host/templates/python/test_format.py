"""What the format promises, tried without a sandbox."""

import unittest

from autotel_store import Syntax, Unsupported
from format import FormatStore


class FormatStoreTest(unittest.TestCase):
    def setUp(self):
        self.store = FormatStore()

    def test_what_is_printed_parses_as_it_was(self):
        document = ["one", "zwei", "三"]
        printed, losses = self.store.printed(document)
        self.assertEqual(self.store.parsed(printed), document)
        self.assertEqual(losses, [])

    def test_what_the_format_cannot_hold_is_told(self):
        _, losses = self.store.printed(["one", 2])
        self.assertEqual([loss.pointer for loss in losses], ["/1"])

    def test_a_document_that_is_no_list_is_refused(self):
        with self.assertRaises(Unsupported):
            self.store.printed({"no": "list"})

    def test_bytes_that_are_no_text_are_refused_where_they_stand(self):
        with self.assertRaises(Syntax) as refused:
            self.store.parsed(b"one\ntw\xff\n")
        self.assertEqual((refused.exception.at.line, refused.exception.at.column), (2, 3))


if __name__ == "__main__":
    unittest.main()
