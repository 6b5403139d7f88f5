/** Tables as etcdctl draws them, and bytes made fit to be shown in one. */

/** A cell; numbers and truths stand on the right. */
export type Cell = string | number | bigint | boolean;

/** The lines of a table. */
export function renderTable(
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
): readonly string[] {
  const widths = titles.map((title, i) =>
    rows.reduce((width, row) => Math.max(width, lengthOf(String(row[i] ?? ''))), lengthOf(title)),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    rule,
    line(titles.map((title, i) => centred(title, widths[i] ?? 0))),
    rule,
    ...rows.map((row) => line(widths.map((width, i) => aligned(row[i] ?? '', width)))),
    rule,
  ];
}

/**
 * Text of `bytes` without line breaks, control or invisible characters: those are escaped as `\n`,
 * `\x01`, and so are all bytes above ASCII when the whole is not UTF-8.
 */
export function printable(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString();
  const escapeBytes = (part: string, encoding: 'utf8' | 'latin1'): string =>
    part === '\n' ? '\\n' : Buffer.from(part, encoding).toString('hex').replace(/../g, '\\x$&');
  return Buffer.from(text).equals(buffer)
    ? text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (part) => escapeBytes(part, 'utf8'))
    : buffer.toString('latin1').replace(/[^ -~]/g, (part) => escapeBytes(part, 'latin1'));
}

function aligned(cell: Cell, width: number): string {
  const text = String(cell);
  const gap = ' '.repeat(width - lengthOf(text));
  return typeof cell === 'string' ? text + gap : gap + text;
}

function centred(text: string, width: number): string {
  const gap = width - lengthOf(text);
  return ' '.repeat(Math.floor(gap / 2)) + text + ' '.repeat(Math.ceil(gap / 2));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
