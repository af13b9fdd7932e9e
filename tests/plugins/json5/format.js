// JSON5 as a store. JavaScript has one kind of number, a 64-bit float, and puts keys that are whole numbers first.

import JSON5 from 'json5';

import { FormatError, Tag, UnsupportedError, placeInText, text } from './autotel_store.js';

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
      const at = placeInText(source, error.lineNumber, error.columnNumber - 1);
      throw new FormatError(error.message.replace(/^JSON5: | at \d+:\d+$/g, ''), at);
    }
  },

  print(document, { indent }, lose) {
    const spaces = ' '.repeat(Math.min(indent, 16));
    return `${printed(document, '', '\n', spaces, lose)}\n`;
  },
};

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
    const entries = [...value].map(([key, value]) => `${name(key, pointer, lose)}${between}${inner(value, key)}`);
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
      lose(pointer, `the integer ${value}, which JavaScript reads back as a float`);
      return String(value);
  }
  if (value === null) return 'null';
  if (value === undefined) {
    lose(pointer, 'undefined, written as null');
    return 'null';
  }
  if (value instanceof Date) {
    lose(pointer, 'a timestamp, written as text');
    return JSON5.stringify(value);
  }
  if (value instanceof Tag) throw new UnsupportedError(`a value of a type of its own (CBOR tag ${value.tag})`);
  throw new UnsupportedError('bytes');
}

function name(key, pointer, lose) {
  if (typeof key !== 'string') {
    if (typeof key === 'object') throw new UnsupportedError('a key that is a list, a map or a value of a type of its own');
    lose(pointer, `the key ${key}, written as text`);
  }
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON5.stringify(String(key));
}

function escaped(key) {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}
