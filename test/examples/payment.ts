/**
 * Payments: each is charged once, whoever asks for it, however often, and wherever a server dies in
 * the middle.
 *
 * The payment's id makes it one: a record under it says how far it has come. A server that finds it
 * begun goes on with it. The gateway is called again then, so it must take the same id twice for
 * one payment, as gateways do; the books are changed together with the record, in one transaction.
 */
import { codecs, type Holdfast, type Kv } from 'holdfast/client';

/** What a customer pays. */
export interface Payment {
  /** Chosen by whoever asks for it, the same in each attempt. */
  readonly id: string;
  readonly account: string;
  readonly cents: number;
}

/** Who moves the money: an outside service. Returns its receipt. */
export type Gateway = (payment: Payment) => Promise<string>;

type PaymentRecord = Payment & { readonly receipt?: string };

/** See the module comment. */
export class Payments {
  readonly #payments: Kv<PaymentRecord>;
  readonly #kv: Kv<unknown>;
  readonly #gateway: Gateway;

  constructor(client: Pick<Holdfast, 'kv'>, gateway: Gateway) {
    this.#kv = client.kv.namespace('payments/').as(codecs.json());
    this.#payments = this.#kv.namespace('by-id/').as(codecs.json<PaymentRecord>());
    this.#gateway = gateway;
  }

  /** What an account has paid in all. */
  async paid(account: string): Promise<number> {
    return Number((await this.#kv.get(`paid/${account}`))?.value ?? 0);
  }

  /** Returns the receipt: of this attempt, or of the one that came through before. */
  async pay(payment: Payment): Promise<string> {
    const begun = await this.#begin(payment);
    if (begun.account !== payment.account || begun.cents !== payment.cents) {
      throw new Error(`payment ${payment.id} has been another one before`);
    }
    return begun.receipt ?? this.#finish(payment, await this.#gateway(payment));
  }

  async #begin(payment: Payment): Promise<PaymentRecord> {
    const kv = this.#payments;
    const { results } = await kv.txn({
      if: [kv.when(payment.id).isMissing()],
      then: [kv.ops.put(payment.id, payment)],
      else: [kv.ops.get(payment.id)],
    });
    const [result] = results;
    return (result?.type === 'get' ? result.entries[0]?.value : undefined) ?? payment;
  }

  async #finish(payment: Payment, receipt: string): Promise<string> {
    return this.#kv.transact(async (tx) => {
      const record = (await tx.get(`by-id/${payment.id}`)) as PaymentRecord;
      if (record.receipt !== undefined) {
        return record.receipt;
      }
      const before = Number((await tx.get(`paid/${payment.account}`)) ?? 0);
      tx.put(`by-id/${payment.id}`, { ...payment, receipt });
      tx.put(`paid/${payment.account}`, before + payment.cents);
      return receipt;
    });
  }
}
