// A store's component under Node.js, by jco.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { transpile } from '@bytecodealliance/jco';
import { types } from '@bytecodealliance/preview2-shim/filesystem';
import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';

const PAGE_BYTES = 1 << 20;
const PIECE_BYTES = 5;

/** The transpiled component, with one directory as `/store` and everything else closed. */
export async function instantiate(component, folder) {
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

// Lets the shim create files, in the whole process: it answers `unsupported` to a flag that the standard libraries of
// guests set.
const { openAt } = types.Descriptor.prototype;
types.Descriptor.prototype.openAt = function (pathFlags, name, openFlags, flags) {
  return openAt.call(this, pathFlags, name, openFlags, { ...flags, mutateDirectory: false });
};

/** All pages of a reader, joined. */
export function read(store, path) {
  const reader = store.Reader.open(path, []);
  const pages = [];
  for (let page; (page = reader.next(PAGE_BYTES)) !== undefined; ) pages.push(Buffer.from(page));
  return Uint8Array.from(Buffer.concat(pages));
}

/** Writes by pages that end anywhere. */
export function write(store, path, documents) {
  const writer = store.Writer.create(path, []);
  for (let at = 0; at < documents.length; at += PIECE_BYTES) writer.write(documents.subarray(at, at + PIECE_BYTES));
  return writer.finish();
}
