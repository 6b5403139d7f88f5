/**
 * Puts items behind those of a list, however many: spread over the arguments of `push`, more than
 * some 120,000 do not fit on the stack.
 */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) {
    list.push(item);
  }
}
