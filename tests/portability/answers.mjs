// Prints, as JSON, what each operation of a store answers under Node.js: node answers.mjs COMPONENT FOLDER OUTSIDE FILE…
//
// And what it answers for the file OUTSIDE, which lies beside the folder.

import { basename } from 'node:path';

import { instantiate, read, write } from './instance.mjs';

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

const [component, folder, outside, ...names] = process.argv.slice(2);
const { store } = await instantiate(component, folder);
const files = Object.fromEntries(names.map((name) => [name, operations(store, name)]));
const paths = [outside, `/store/../${basename(outside)}`, `/store/${names[0]}/../../${basename(outside)}`];
const closed = paths.flatMap((path) => [
  plain(answer(() => store.load(path, []))),
  plain(answer(() => write(store, path, Uint8Array.of(1)))),
]);
console.log(JSON.stringify({ describe: plain(store.describe()), files, closed }));
