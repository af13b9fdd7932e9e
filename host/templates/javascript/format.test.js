// What the format promises, tried without a sandbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FormatError, UnsupportedError, parseBytes, printDocument } from './autotel_store.js';
import format from './format.js';

test('what is printed parses as it was', () => {
  for (const document of [[], [''], ['one', '', 'zwei\r', '三\u2028']]) {
    const { bytes, losses } = printDocument(format, document);
    assert.deepEqual(parseBytes(format, bytes), document);
    assert.deepEqual(losses, []);
  }
});

test('what the format cannot hold is told', () => {
  const { losses } = printDocument(format, ['one', 2]);
  assert.deepEqual(losses.map((loss) => loss.pointer), ['/1']);
});

test('what would come back as something else is refused', () => {
  for (const document of [new Map([['no', 'list']]), ['one\ntwo']]) {
    assert.throws(() => printDocument(format, document), UnsupportedError);
  }
});

test('bytes that are no text are refused where they stand', () => {
  const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, ...new TextEncoder().encode('one\ntw'), 0xff);
  assert.throws(
    () => parseBytes(format, bytes),
    (error) => {
      assert(error instanceof FormatError);
      assert.deepEqual(error.at, { offset: 9n, line: 2, column: 3 });
      return true;
    },
  );
});
