// Runs a store's component under Node.js, by jco: node node.mjs COMPONENT FOLDER FILE…
//
// Prints, as JSON, what each operation of the store answers for each file of the folder.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { transpile } from '@bytecodealliance/jco';
import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';
import { types } from '@bytecodealliance/preview2-shim/filesystem';

const PAGE_BYTES = 1 << 20;
const PIECE_BYTES = 5;

/** The transpiled component, with one directory as `/store` and everything else closed. */
async function instantiate(component, folder) {
  const { files } = await transpile(await readFile(component), { name: 'store', instantiation: 'async' });
  const output = await mkdtemp(path.join(tmpdir(), 'store-'));
  try {
    for (const [name, bytes] of Object.entries(files)) {
      // The types of interfaces, for TypeScript, stand in folders of their own.
      if (!name.includes('/')) await writeFile(path.join(output, name), bytes);
    }
    const { instantiate } = await import(pathToFileURL(path.join(output, 'store.js')));
    const core = async (name) => WebAssembly.compile(await readFile(path.join(output, name)));
    // Left out, these are the process's own: its environment, its arguments, and the network.
    const sandbox = { preopens: { '/store': folder }, env: {}, args: ['store'], enableNetwork: false };
    return await instantiate(core, new WASIShim({ sandbox }).getImportObject());
  } finally {
    await rm(output, { recursive: true });
  }
}

/** Lets the shim create files: it answers `unsupported` to a flag that the standard libraries of guests set. */
function mendCreation() {
  const { openAt } = types.Descriptor.prototype;
  types.Descriptor.prototype.openAt = function (pathFlags, name, openFlags, flags) {
    return openAt.call(this, pathFlags, name, openFlags, { ...flags, mutateDirectory: false });
  };
}

/** An answer, or the error of the contract in its place. */
function answer(call) {
  try {
    return { ok: call() };
  } catch (error) {
    if (error.payload?.tag === undefined) throw error;
    return { error: plain(error.payload) };
  }
}

/** A value of the component model as JSON has it, its names as the contract writes them. */
function plain(value) {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if ('tag' in value) return { tag: value.tag, val: plain(value.val) };
  const values = Object.values(value);
  if (values.every((value) => typeof value === 'boolean')) {
    return Object.keys(value).filter((name) => value[name]);
  }
  const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([name, value]) => [kebab(name), plain(value)]));
}

function read(store, path) {
  const reader = store.Reader.open(path, []);
  const pages = [];
  for (let page; (page = reader.next(PAGE_BYTES)) !== undefined; ) pages.push(Buffer.from(page));
  return Uint8Array.from(Buffer.concat(pages));
}

function write(store, path, documents) {
  const writer = store.Writer.create(path, []);
  for (let at = 0; at < documents.length; at += PIECE_BYTES) writer.write(documents.subarray(at, at + PIECE_BYTES));
  return writer.finish();
}

function operations(store, name) {
  const file = `/store/${name}`;
  const load = answer(() => store.load(file, []));
  const done = {
    load: plain(load),
    validate: plain(answer(() => store.validate(file, []))),
    reader: plain(answer(() => read(store, file))),
  };
  if (load.ok) {
    done.save = plain(answer(() => store.save(`/store/saved-${name}`, load.ok, [])));
    done.writer = plain(answer(() => write(store, `/store/written-${name}`, load.ok)));
  }
  return done;
}

const [component, folder, ...names] = process.argv.slice(2);
mendCreation();
const { store } = await instantiate(component, folder);
const files = Object.fromEntries(names.map((name) => [name, operations(store, name)]));
console.log(JSON.stringify({ describe: plain(store.describe()), files }));
