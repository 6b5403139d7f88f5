/** What the types of the library promise: checked by the compiler, with all of `npm run check`. */
import { expectTypeOf, test } from 'vitest';
import {
  type Codec,
  codecs,
  Holdfast,
  type HoldfastOptions,
  type Kv,
} from '../../src/client/index.ts';
import type { TestCluster } from '../../src/cli/testing/index.ts';

interface User {
  readonly name: string;
}

/** What a client of values `V` is made from. */
type OptionsFor<V> = ConstructorParameters<typeof Holdfast<V>>[0];
interface Bare {
  readonly endpoints: string;
}
interface WithCodec<V> extends Bare {
  readonly codec: Codec<V>;
}

test('values are text unless a codec says otherwise', async () => {
  await using texts = new Holdfast({ endpoints: '127.0.0.1:1' });
  await using users = new Holdfast({ endpoints: '127.0.0.1:1', codec: codecs.json<User>() });
  const options: HoldfastOptions = { endpoints: '127.0.0.1:1' };
  const codec = {
    encode: (size: number) => Buffer.alloc(size),
    decode: (it: Uint8Array) => it.length,
  };
  await using sizes = new Holdfast({ endpoints: '127.0.0.1:1', codec });
  await using same = new Holdfast(options);

  expectTypeOf(texts).toEqualTypeOf<Holdfast>();
  expectTypeOf(same).toEqualTypeOf<Holdfast>();
  expectTypeOf(users).toEqualTypeOf<Holdfast<User>>();
  expectTypeOf(sizes).toEqualTypeOf<Holdfast<number>>();
  expectTypeOf(users.kv.as(codecs.bytes)).toEqualTypeOf<Kv<Uint8Array>>();
});

test('values of another type need their codec', () => {
  expectTypeOf<Bare>().toExtend<OptionsFor<string>>();
  expectTypeOf<Bare>().not.toExtend<OptionsFor<User>>();
  expectTypeOf<HoldfastOptions<User>>().not.toExtend<OptionsFor<User>>();
  expectTypeOf<WithCodec<User>>().toExtend<OptionsFor<User>>();
  expectTypeOf<WithCodec<string>>().not.toExtend<OptionsFor<User>>();
});

test('some texts, more than texts, and anything at all are other types than text', () => {
  expectTypeOf<Bare>().not.toExtend<OptionsFor<'on' | 'off'>>();
  expectTypeOf<Bare>().not.toExtend<OptionsFor<string | number>>();
  expectTypeOf<Bare>().not.toExtend<OptionsFor<unknown>>();
  expectTypeOf<Bare>().not.toExtend<OptionsFor<never>>();
});

test('so it is with the clients of a test cluster', () => {
  type Client = TestCluster['client'];
  const use = (client: Client): void => {
    expectTypeOf(client()).toEqualTypeOf<Holdfast>();
    expectTypeOf(client({ namespace: 'a/' })).toEqualTypeOf<Holdfast>();
    expectTypeOf(client({ codec: codecs.json<User>() })).toEqualTypeOf<Holdfast<User>>();
    // @ts-expect-error -- there is no codec that makes users of bytes
    client<User>();
    // @ts-expect-error -- nor here
    client<User>({ namespace: 'a/' });
  };
  expectTypeOf(use).returns.toBeVoid();
});
