// The kit for stores in JavaScript: what is wrong with a file and where, and documents as CBOR. Runs in a component
// and, for tests, in Node.js. `store.js` is the component's face over it.

import { Tag, decodeSequence, encode as encodeCbor } from 'cbor2';

export { Tag };
export const OPERATIONS = ['load', 'save', 'validate'];

/** The bytes are not of the format. `at` is the first place where that shows; `place` gives it. */
export class FormatError extends Error {
  name = 'FormatError';

  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/** What is asked for is outside what the store does: the message names it. */
export class UnsupportedError extends Error {
  name = 'UnsupportedError';
}

/** The place in a file at this byte: its line and its character in the line, from 1. A byte-order mark takes none. */
export function place(bytes, offset) {
  let [line, start] = [1, hasMark(bytes) ? MARK.length : 0];
  for (let at = 0; at < offset; at++) {
    const isEnd = bytes[at] === 0x0a || (bytes[at] === 0x0d && bytes[at + 1] !== 0x0a);
    if (isEnd) [line, start] = [line + 1, at + 1];
  }
  const before = decodeText(bytes.subarray(start, offset), { fatal: false });
  return { offset: BigInt(offset), line, column: [...before].length + 1 };
}

/** The place of a character, given as most parsers give it: by its line, and what stands before it on that line. */
export function placeInText(text, line, unitsBefore) {
  const lines = text.split('\n');
  const before = [...lines.slice(0, line - 1), (lines[line - 1] ?? '').slice(0, unitsBefore)].join('\n');
  return place(new TextEncoder().encode(text), new TextEncoder().encode(before).length);
}

/** The bytes of a file as text, with a byte-order mark where there is one. */
export function text(bytes) {
  try {
    return decodeText(bytes);
  } catch {
    throw new FormatError('bytes that are not UTF-8', place(bytes, wellFormedLength(bytes)));
  }
}

const MARK = [0xef, 0xbb, 0xbf];

function hasMark(bytes) {
  return MARK.every((byte, at) => bytes[at] === byte);
}

function decodeText(bytes, { fatal = true, stream = false } = {}) {
  return new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(bytes, { stream });
}

/** How many bytes are UTF-8, up to the first that are not. */
function wellFormedLength(bytes) {
  let [good, bad] = [0, bytes.length];
  const isGood = (length) => {
    try {
      // A character that is cut short is no fault yet.
      decodeText(bytes.subarray(0, length), { stream: true });
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
  while (good > 0 && !isWhole(bytes.subarray(0, good))) good -= 1;
  return good;
}

function isWhole(bytes) {
  try {
    decodeText(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Parses, with every option that is not given at its default. */
export function parseBytes(format, bytes, options = {}) {
  return withinStack(() => format.parse(bytes, { ...defaults(format), ...options }));
}

/** Prints, with every option that is not given at its default, and lists what was lost. */
export function printDocument(format, document, options = {}) {
  const losses = [];
  const lose = (pointer, what, why) => losses.push({ pointer, what, why });
  const printed = withinStack(() => format.print(document, { ...defaults(format), ...options }, lose));
  return { bytes: typeof printed === 'string' ? new TextEncoder().encode(printed) : printed, losses };
}

/** Gives a document as CBOR. */
export function encode(document) {
  return withinStack(() => encodeCbor(document));
}

const asItIs = (tag) => tag;
const DECODING = {
  preferMap: true,
  // Keys that are one number in JavaScript, such as 1 and 1.0.
  rejectDuplicateKeys: true,
  // A `Date` would lose digits and the offset.
  tags: new Map([0, 1].map((tag) => [tag, asItIs])),
};

/** Gives the one document of a CBOR sequence. A map is a `Map`, since an object would not keep the order of keys. */
export function decode(bytes) {
  let documents;
  try {
    documents = withinStack(() => [...decodeSequence(bytes, DECODING)]);
  } catch (error) {
    throw error instanceof UnsupportedError ? error : new UnsupportedError(`what is no document: ${error.message}`);
  }
  if (documents.length !== 1) throw new UnsupportedError(`${documents.length} documents in a file that holds one`);
  return documents[0];
}

function defaults(format) {
  return Object.fromEntries(format.options.map((option) => [option.name, option.default]));
}

/** Refuses a document that is nested more deeply than the stack is: each engine says so in its own words. */
function withinStack(work) {
  try {
    return work();
  } catch (error) {
    const isTooDeep = /call stack|recursion|stack overflow/i.test(error?.message);
    throw isTooDeep ? new UnsupportedError('a document that is nested so deeply') : error;
  }
}
