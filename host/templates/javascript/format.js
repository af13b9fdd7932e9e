// {{title}} as a store: a list of text, each a line of the file. Put your format here in its place.

import { UnsupportedError, text } from './autotel_store.js';

export default {
  name: '{{name}}',
  version: '0.1.0',
  summary: 'Lists of text, each a line of the file',
  formats: [{ name: '{{title}}', standard: 'one text a line', extensions: ['{{extension}}'] }],
  options: [],

  /** Gives the document that the bytes of a file hold. Bytes that are not UTF-8 are refused with their place. */
  parse(bytes, options) {
    const lines = text(bytes).split('\n');
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  },

  /** Gives the text of a file that holds a document, and tells with `lose` what the format cannot hold. */
  print(document, options, lose) {
    if (!Array.isArray(document)) throw new UnsupportedError('anything but a list');
    return document.map((line, index) => `${printLine(line, index, lose)}\n`).join('');
  },
};

function printLine(line, index, lose) {
  if (typeof line !== 'string') {
    lose(`/${index}`, 'what is no text', 'a line is text; an empty one is written');
    return '';
  }
  if (line.includes('\n')) throw new UnsupportedError('a text of several lines');
  return line;
}
