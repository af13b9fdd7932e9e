// The component's face: the contract of `wit/` over the store in `format.js`. It need not change.

import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';

import { FormatError, OPERATIONS, UnsupportedError, decode, encode, parseBytes, printDocument } from './autotel_store.js';
import format from './format.js';

/** Bytes that one call reads or writes. */
const TRANSFER_BYTES = 1 << 20;

class Reader {
  #parse;
  #documents;
  #given = 0;

  constructor(parse) {
    this.#parse = parse;
  }

  static open(path, options) {
    return answering(path, () => {
      const [known, bytes] = [resolveOptions(options, 'load'), readFile(path)];
      return new Reader(() => answering(path, () => encode(parseBytes(format, bytes, known))));
    });
  }

  next(maxBytes) {
    // What is refused is refused again at the next call.
    this.#documents ??= this.#parse();
    const page = this.#documents.subarray(this.#given, this.#given + Math.max(maxBytes, 1));
    this.#given += page.length;
    return page.length === 0 ? undefined : page.slice();
  }
}

class Writer {
  #path;
  #file;
  #options;
  #pages = [];
  #error;

  constructor(path, file, options) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
  }

  static create(path, options) {
    return answering(path, () => {
      const known = resolveOptions(options, 'save');
      return new Writer(path, open(path, { create: true, truncate: true }, { write: true }), known);
    });
  }

  write(page) {
    if (this.#error) throw this.#error;
    this.#pages.push(page);
  }

  finish() {
    if (this.#error) throw this.#error;
    this.#error = { tag: 'unsupported', val: 'a call after `finish`' };
    try {
      return answering(this.#path, () => {
        const { bytes, losses } = printDocument(format, decode(concat(this.#pages)), this.#options);
        writeAll(this.#file, bytes);
        return losses;
      });
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }
}

export const store = {
  describe() {
    return {
      name: format.name,
      version: format.version,
      summary: format.summary,
      formats: format.formats.map((format) => ({ extensions: [], mediaTypes: [], signatures: [], ...format })),
      operations: operations(OPERATIONS),
      options: format.options.map(describeOption),
    };
  },

  load(path, options) {
    return read(path, options, 'load');
  },

  save(path, documents, options) {
    const writer = Writer.create(path, options);
    writer.write(documents);
    return writer.finish();
  },

  validate(path, options) {
    try {
      read(path, options, 'validate');
    } catch (error) {
      if (error.tag === 'syntax') return [error.val];
      throw error;
    }
    return [];
  },

  Reader,
  Writer,
};

/** Reads a file as CBOR. */
function read(path, options, operation) {
  return answering(path, () => {
    const known = resolveOptions(options, operation);
    return encode(parseBytes(format, readFile(path), known));
  });
}

/** Opens a file below the directory that was granted. */
function open(path, openFlags, flags) {
  for (const [directory, name] of getDirectories()) {
    if (path.startsWith(`${name}/`)) {
      return directory.openAt({}, path.slice(name.length + 1), openFlags, flags);
    }
  }
  throw { tag: 'not-found', val: path };
}

function readFile(path) {
  const file = open(path, {}, { read: true });
  const pieces = [];
  for (let offset = 0n; ; ) {
    const [piece, isEnd] = file.read(BigInt(TRANSFER_BYTES), offset);
    pieces.push(piece);
    offset += BigInt(piece.length);
    if (isEnd || piece.length === 0) return concat(pieces);
  }
}

function writeAll(file, bytes) {
  for (let offset = 0; offset < bytes.length; ) {
    offset += Number(file.write(bytes.subarray(offset, offset + TRANSFER_BYTES), BigInt(offset)));
  }
}

function concat(pieces) {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    all.set(piece, length);
    length += piece.length;
  }
  return all;
}

/**
 * Turns what is thrown into an error of the contract: `jco` takes a thrown `{ tag, val }` for one. Any other is a bug of
 * the store, and traps.
 */
function answering(path, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof FormatError) throw { tag: 'syntax', val: { message: error.message, at: error.at } };
    if (error instanceof UnsupportedError) throw { tag: 'unsupported', val: error.message };
    // What the file system answers comes as a word.
    const code = error.payload ?? error;
    if (code === 'no-entry') throw { tag: 'not-found', val: path };
    if (code === 'access' || code === 'not-permitted') throw { tag: 'denied', val: path };
    if (typeof code === 'string') throw { tag: 'other', val: code };
    throw error;
  }
}

/** The options that were given, by name. */
function resolveOptions(options, operation) {
  const given = {};
  for (const { name, value } of options) {
    const option = format.options.find((option) => option.name === name);
    if (!option || !(option.operations ?? OPERATIONS).includes(operation)) {
      throw new UnsupportedError(`the option \`${name}\` of \`${operation}\``);
    }
    given[name] = typeof option.default === 'number' ? Number(value.val) : value.val;
  }
  return given;
}

/** An option in the contract's words. Its default says what it takes. */
function describeOption({ name, summary, default: value, choices, operations: names = OPERATIONS }) {
  const [kind, val] = optionKind(value, choices);
  const setting = { tag: kind.tag, val };
  return { name, summary, kind, default: setting, operations: operations(names) };
}

function optionKind(value, choices) {
  if (choices) return [{ tag: 'choice', val: choices }, value];
  switch (typeof value) {
    case 'boolean':
      return [{ tag: 'flag' }, value];
    case 'number':
      return [{ tag: 'count', val: { least: 0n, most: BigInt(Number.MAX_SAFE_INTEGER) } }, BigInt(value)];
    default:
      return [{ tag: 'text' }, value];
  }
}

/** A set of operations in the contract's words. */
function operations(names) {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation, names.includes(operation)]));
}
