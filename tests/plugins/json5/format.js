// JSON5 as a store. JavaScript has one kind of number, a 64-bit float, and puts keys that are whole numbers first.

import JSON5 from 'json5';

import { FormatError, Tag, UnsupportedError, placeInText, text } from './autotel_store.js';

/** Tags of CBOR (RFC 8949 section 3.4). */
const [TIMESTAMP, DECIMAL] = [0, 4];

export default {
  name: 'json5-store',
  version: '0.1.0',
  summary: 'JSON5, with the numbers and the order of keys that JavaScript has',
  formats: [{ name: 'JSON5', standard: 'JSON5 1.0.0', extensions: ['json5'], mediaTypes: ['application/json5'] }],
  options: [{ name: 'indent', summary: 'spaces a level; 0 writes all on one line', default: 2, operations: ['save'] }],

  parse(bytes) {
    const source = text(bytes);
    try {
      return JSON5.parse(source);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new FormatError(error.message.replace(/^JSON5: | at \d+:\d+$/g, ''), faultPlace(source, error));
    }
  },

  print(document, { indent }, lose) {
    const spaces = ' '.repeat(Math.min(indent, 16));
    return `${printed(document, '', '\n', spaces, lose)}\n`;
  },
};

/** Where the character stands that JSON5 names: a line feed has the column before the first of its next line. */
function faultPlace(source, { lineNumber, columnNumber }) {
  const isLineFeed = columnNumber === 0;
  return isLineFeed ? placeInText(source, lineNumber - 1, Infinity) : placeInText(source, lineNumber, columnNumber - 1);
}

/** A value as JSON5, its lines begun with `margin`. */
function printed(value, pointer, margin, spaces, lose) {
  const list = (open, items, close) => {
    if (items.length === 0) return open + close;
    if (spaces === '') return open + items.join(',') + close;
    return `${open}${margin}${spaces}${items.join(`,${margin}${spaces}`)}${margin}${close}`;
  };
  const inner = (value, key) => printed(value, `${pointer}/${escaped(key)}`, margin + spaces, spaces, lose);
  const between = spaces === '' ? ':' : ': ';
  if (Array.isArray(value)) return list('[', value.map(inner), ']');
  if (value instanceof Map) {
    const names = [...value.keys()].map((key) => keyName(key, pointer, lose));
    checkNames(names, pointer, lose);
    const entries = [...value].map(([key, value], at) => `${quoted(names[at])}${between}${inner(value, key)}`);
    return list('{', entries, '}');
  }
  return scalar(value, pointer, lose);
}

function scalar(value, pointer, lose) {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
    case 'string':
      return JSON5.stringify(value);
    case 'bigint':
      lose(pointer, `the integer ${value}`, 'JavaScript reads it back as a float');
      return String(value);
  }
  if (value === null) return 'null';
  if (value === undefined) {
    lose(pointer, 'undefined', 'JSON5 has none; null is written');
    return 'null';
  }
  if (value instanceof Tag && value.tag === TIMESTAMP) {
    lose(pointer, 'a timestamp', 'JSON5 has none; its text is written');
    return JSON5.stringify(value.contents);
  }
  if (value instanceof Tag && value.tag === DECIMAL) {
    const [exponent, mantissa] = value.contents;
    lose(pointer, 'a decimal', 'JavaScript reads it back as a float');
    return `${mantissa}e${exponent}`;
  }
  const what = value instanceof Tag ? `a value of a type of its own (CBOR tag ${value.tag})` : 'bytes';
  throw new UnsupportedError(`${what}, at \`${pointer}\``);
}

/** A key as text. */
function keyName(key, pointer, lose) {
  if (typeof key === 'string') return key;
  if (typeof key === 'object') throw new UnsupportedError(`a key that is no text, number or truth value, at \`${pointer}\``);
  lose(pointer, `the key ${key}`, 'JSON5 has keys of text; its text is written');
  return String(key);
}

/** Refuses names that would be one, and tells of an order that JavaScript does not keep. */
function checkNames(names, pointer, lose) {
  const inOrder = Object.keys(Object.fromEntries(names.map((name) => [name, null])));
  if (inOrder.length < names.length) throw new UnsupportedError(`keys that are written alike, at \`${pointer}\``);
  if (names.some((name, at) => name !== inOrder[at])) {
    lose(pointer, 'the order of keys', 'JavaScript puts whole numbers first');
  }
}

function quoted(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON5.stringify(name);
}

function escaped(key) {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}
