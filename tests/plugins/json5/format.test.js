// What the format promises, tried without a sandbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FormatError, Tag, UnsupportedError, decode, encode, parseBytes, printDocument } from './autotel_store.js';
import format from './format.js';

const bytes = (text) => new TextEncoder().encode(text);

test('what is printed parses as it was', () => {
  const text = "{a: 'ré', \"b c\": [1, -2.5, +.5, 0x10, -0, Infinity, NaN, null, true,], // comment\n $d: {}, e: []}";
  const document = parseBytes(format, bytes(text));
  for (const indent of [0, 2]) {
    const { bytes: again, losses } = printDocument(format, decode(encode(document)), { indent });
    assert.deepEqual(parseBytes(format, again), document);
    assert.deepEqual(losses, []);
  }
});

test('a document is printed as a person would', () => {
  const document = new Map([['b', [1, new Map([['2 c', 'x']])]], ['a', new Map()]]);
  assert.equal(
    new TextDecoder().decode(printDocument(format, document).bytes),
    "{\n  b: [\n    1,\n    {\n      '2 c': 'x'\n    }\n  ],\n  a: {}\n}\n",
  );
});

test('a fault is told where it stands', () => {
  const isRefused = ({ at, message }) =>
    at.offset === 14n && at.line === 2 && at.column === 5 && message === "invalid character '}'";
  assert.throws(() => parseBytes(format, bytes("{a: 'é',\n b: }")), isRefused);
  assert.throws(() => parseBytes(format, bytes('')), FormatError);
  const isAtTheEndOfItsLine = ({ at }) => at.offset === 6n && at.line === 2 && at.column === 5;
  assert.throws(() => parseBytes(format, bytes('[\n"abc\n')), isAtTheEndOfItsLine);
  const isBehindTheMark = ({ at }) => at.offset === 6n && at.line === 1 && at.column === 4;
  assert.throws(() => parseBytes(format, bytes('\ufeff{a:\x01')), isBehindTheMark);
});

test('what the format cannot hold is told or refused', () => {
  const { losses } = printDocument(format, [2n ** 64n, undefined, new Map([[1, 2]])]);
  assert.deepEqual(losses.map((loss) => loss.pointer), ['/0', '/1', '/2']);
  assert.throws(() => printDocument(format, [Uint8Array.of(1)]), UnsupportedError);
  assert.throws(() => printDocument(format, new Map([[1, 'a'], ['1', 'b']])), UnsupportedError);
  const told = printDocument(format, [new Tag(4, [-2, 110]), new Tag(0, '2016-12-31T23:59:60Z'), new Map([['b', 1], ['2', 1]])]);
  assert.deepEqual(told.losses.map((loss) => loss.pointer), ['/0', '/1', '/2']);
  assert.deepEqual(parseBytes(format, told.bytes), [1.1, '2016-12-31T23:59:60Z', { b: 1, 2: 1 }]);
});
