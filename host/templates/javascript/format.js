// {{title}} as a store: a list of text, each a line of the file. Put your format here in its place.

import { Syntax, Unsupported, text } from './autotel_store.js';

export default {
  name: '{{name}}',
  version: '0.1.0',
  summary: 'Lists of text, each a line of the file',
  formats: [{ name: '{{title}}', standard: 'one text a line', extensions: ['{{extension}}'] }],
  options: [],

  /** Gives the document that the bytes of a file hold. Bytes that are not UTF-8 are refused with their place. */
  parse(bytes, options) {
    const lines = text(bytes).split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  },

  /** Gives the text of a file that holds a document, and tells with `lose` what the format cannot hold. */
  print(document, options, lose) {
    if (!Array.isArray(document)) throw new Unsupported('anything but a list');
    document.forEach((line, index) => {
      if (typeof line !== 'string') lose(`/${index}`, `what is no text, written as ${line}`);
    });
    return document.map((line) => `${line}\n`).join('');
  },
};
