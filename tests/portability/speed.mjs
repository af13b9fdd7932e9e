// Prints the milliseconds in which a store reads a file under Node.js, by pages: node speed.mjs COMPONENT FOLDER FILE TIMES

import { instantiate, read } from './instance.mjs';

const [component, folder, name, times] = process.argv.slice(2);
const { store } = await instantiate(component, folder);
let quickest = Infinity;
for (let time = 0; time < Number(times); time++) {
  const started = performance.now();
  read(store, `/store/${name}`);
  quickest = Math.min(quickest, performance.now() - started);
}
console.log(quickest);
