// The kit for stores in JavaScript: what is wrong with a file and where, and documents as CBOR. Runs in a component
// and, for tests, in Node.js. `store.js` is the component's face over it.

import { Tag, decodeSequence, encode as encodeCbor } from 'cbor2';

export { Tag };
export const OPERATIONS = ['load', 'save', 'validate'];

/** The bytes are not of the format. `at` is the first place where that shows; `place` gives it. */
export class Syntax extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/** What is asked for is outside what the store does: the message names it. */
export class Unsupported extends Error {}

/** A bound of the store was reached. */
export class TooLarge extends Error {
  constructor(bound, limit) {
    super(bound);
    this.limit = limit;
  }
}

/** The place in a file at this byte: its line and its character in the line, both from 1. */
export function place(bytes, offset) {
  let [line, start] = [1, 0];
  for (let at = 0; at < offset; at++) {
    const isEnd = bytes[at] === 0x0a || (bytes[at] === 0x0d && bytes[at + 1] !== 0x0a);
    if (isEnd) [line, start] = [line + 1, at + 1];
  }
  const before = new TextDecoder().decode(bytes.subarray(start, offset));
  return { offset: BigInt(offset), line, column: [...before].length + 1 };
}

/** The byte at which a character of a line stands, both counted from 1 as most parsers count them. */
export function offsetOf(text, line, column) {
  const before = text.split('\n').slice(0, line - 1);
  const last = text.split('\n')[line - 1] ?? '';
  return new TextEncoder().encode([...before, last.slice(0, column - 1)].join('\n')).length;
}

/** The bytes of a file as text, without a byte-order mark. */
export function text(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Syntax('bytes that are not UTF-8', place(bytes, wellFormedLength(bytes)));
  }
}

/** How many bytes are UTF-8, up to the first that are not. */
function wellFormedLength(bytes) {
  let [good, bad] = [0, bytes.length];
  const isGood = (length) => {
    try {
      // A character that is cut short is no fault yet.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    if (isGood(middle)) good = middle;
    else bad = middle - 1;
  }
  return good;
}

/** Parses bytes, with every option that is not given at its default. */
export function parsed(format, bytes, options = {}) {
  return bounded(() => format.parse(bytes, { ...defaults(format), ...options }));
}

/** Prints a document, and lists what was lost. */
export function printed(format, document, options = {}) {
  const losses = [];
  const lose = (pointer, message) => losses.push({ pointer, message });
  const text = bounded(() => format.print(document, { ...defaults(format), ...options }, lose));
  return { bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text, losses };
}

/** Gives a document as CBOR. */
export function encode(document) {
  return bounded(() => encodeCbor(document));
}

/** Gives the one document of a CBOR sequence. A map is a `Map`, since an object would not keep the order of keys. */
export function decode(bytes) {
  let documents;
  try {
    documents = bounded(() => [...decodeSequence(bytes, { preferMap: true })]);
  } catch (error) {
    throw error instanceof TooLarge ? error : new Unsupported(`what is no document: ${error.message}`);
  }
  if (documents.length !== 1) throw new Unsupported(`${documents.length} documents in a file that holds one`);
  return documents[0];
}

function defaults(format) {
  return Object.fromEntries(format.options.map((option) => [option.name, option.default]));
}

/** Turns a stack that is too deep into a bound of the store. */
function bounded(work) {
  try {
    return work();
  } catch (error) {
    throw error instanceof RangeError || error.name === 'InternalError' ? new TooLarge('depth', 1000n) : error;
  }
}
