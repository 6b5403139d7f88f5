/**
 * Inventory: stock is reserved for orders, never more than there is, and once for each order,
 * however many servers do it and however often each tries.
 */
import { codecs, type Holdfast, type Kv } from 'holdfast/client';

/** See the module comment. */
export class Inventory {
  readonly #kv: Kv<number>;

  constructor(client: Pick<Holdfast, 'kv'>) {
    this.#kv = client.kv.namespace('inventory/').as(codecs.json<number>());
  }

  async left(item: string): Promise<number> {
    return (await this.#kv.get(`stock/${item}`))?.value ?? 0;
  }

  async restock(item: string, quantity: number): Promise<void> {
    await this.#kv.transact(async (tx) => {
      tx.put(`stock/${item}`, ((await tx.get(`stock/${item}`)) ?? 0) + quantity);
    });
  }

  /** Whether the order has what it wants; asking again for the same order changes nothing. */
  async reserve(item: string, order: string, quantity: number): Promise<boolean> {
    return this.#kv.transact(async (tx) => {
      if ((await tx.get(`reserved/${item}/${order}`)) !== undefined) {
        return true;
      }
      const left = (await tx.get(`stock/${item}`)) ?? 0;
      if (left < quantity) {
        return false;
      }
      tx.put(`stock/${item}`, left - quantity);
      tx.put(`reserved/${item}/${order}`, quantity);
      return true;
    });
  }

  /** Gives back what an order has reserved, once. */
  async release(item: string, order: string): Promise<void> {
    await this.#kv.transact(async (tx) => {
      const reserved = await tx.get(`reserved/${item}/${order}`);
      if (reserved !== undefined) {
        tx.put(`stock/${item}`, ((await tx.get(`stock/${item}`)) ?? 0) + reserved);
        tx.delete(`reserved/${item}/${order}`);
      }
    });
  }
}
