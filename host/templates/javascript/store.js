// The component's face: the contract of `wit/` over the store in `format.js`. It need not change.

import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';

import { OPERATIONS, Syntax, TooLarge, Unsupported, decode, encode, parsed, printed } from './autotel_store.js';
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
      const [known, bytes] = [resolved(options, 'load'), content(path)];
      return new Reader(() => answering(path, () => encode(parsed(format, bytes, known))));
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
  #file;
  #options;
  #pages = [];
  #error;

  constructor(file, options) {
    this.#file = file;
    this.#options = options;
  }

  static create(path, options) {
    return answering(path, () => new Writer(create(path), resolved(options, 'save')));
  }

  write(page) {
    if (this.#error) throw this.#error;
    this.#pages.push(page);
  }

  finish() {
    if (this.#error) throw this.#error;
    this.#error = { tag: 'unsupported', val: 'a call after `finish`' };
    try {
      return answering('', () => {
        const { bytes, losses } = printed(format, decode(joined(this.#pages)), this.#options);
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
      options: format.options.map(described),
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
    const known = resolved(options, operation);
    return encode(parsed(format, content(path), known));
  });
}

function create(path) {
  return open(path, { create: true, truncate: true }, { write: true });
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

/** The bytes of a file. */
function content(path) {
  const file = open(path, {}, { read: true });
  const pieces = [];
  for (let offset = 0n; ; ) {
    const [piece, isEnd] = file.read(BigInt(TRANSFER_BYTES), offset);
    pieces.push(piece);
    offset += BigInt(piece.length);
    if (isEnd || piece.length === 0) return joined(pieces);
  }
}

function writeAll(file, bytes) {
  for (let offset = 0; offset < bytes.length; ) {
    offset += Number(file.write(bytes.subarray(offset, offset + TRANSFER_BYTES), BigInt(offset)));
  }
}

function joined(pieces) {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let length = 0;
  for (const piece of pieces) {
    all.set(piece, length);
    length += piece.length;
  }
  return all;
}

/** Turns what is thrown into an error of the contract. Any other is a bug of the store, and traps. */
function answering(path, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Syntax) throw { tag: 'syntax', val: { message: error.message, at: error.at } };
    if (error instanceof Unsupported) throw { tag: 'unsupported', val: error.message };
    if (error instanceof TooLarge) throw { tag: 'too-large', val: { name: error.message, limit: error.limit } };
    const code = error.payload ?? error;
    if (code === 'no-entry') throw { tag: 'not-found', val: path };
    if (code === 'access' || code === 'not-permitted') throw { tag: 'denied', val: path };
    if (typeof code === 'string') throw { tag: 'other', val: code };
    throw error;
  }
}

/** The options that were given, by name. */
function resolved(options, operation) {
  const given = {};
  for (const { name, value } of options) {
    const option = format.options.find((option) => option.name === name);
    if (!option || !(option.operations ?? OPERATIONS).includes(operation)) {
      throw new Unsupported(`the option \`${name}\` of \`${operation}\``);
    }
    given[name] = value.val;
  }
  return given;
}

/** An option in the contract's words. Its default says what it takes. */
function described({ name, summary, default: value, choices, operations: names = OPERATIONS }) {
  const [tag, val] = choices
    ? ['choice', choices]
    : { boolean: ['flag'], bigint: ['count', { least: 0n, most: 2n ** 64n - 1n }], string: ['text'] }[typeof value];
  return { name, summary, kind: { tag, val }, default: { tag, val: value }, operations: operations(names) };
}

/** A set of operations in the contract's words. */
function operations(names) {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation, names.includes(operation)]));
}
