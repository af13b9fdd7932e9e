// What the format promises, tried without a sandbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Syntax, Unsupported, parsed, printed } from './autotel_store.js';
import format from './format.js';

const bytes = (text) => new TextEncoder().encode(text);

test('what is printed parses as it was', () => {
  const document = ['one', 'zwei', '三'];
  const { bytes, losses } = printed(format, document);
  assert.deepEqual(parsed(format, bytes), document);
  assert.deepEqual(losses, []);
});

test('what the format cannot hold is told', () => {
  const { losses } = printed(format, ['one', 2]);
  assert.deepEqual(losses.map((loss) => loss.pointer), ['/1']);
});

test('a document that is no list is refused', () => {
  assert.throws(() => printed(format, new Map([['no', 'list']])), Unsupported);
});

test('bytes that are no text are refused where they stand', () => {
  const isRefused = (error) => error instanceof Syntax && error.at.line === 2 && error.at.column === 3;
  assert.throws(() => parsed(format, Uint8Array.of(...bytes('one\ntw'), 0xff)), isRefused);
});
