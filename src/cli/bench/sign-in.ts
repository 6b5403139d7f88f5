/** Signs the load generator in: one token for all its connections. */
import { services } from '../../wire/index.ts';
import type { Access } from './access.ts';
import { Connection, type Endpoint, grpcOk } from './connection.ts';
import { frameMessage, unframeMessage } from './requests.ts';

const { Authenticate } = services['etcdserverpb.Auth'];
/** etcd says so in words alone. */
const notAsked = 'etcdserver: authentication is not enabled';

/** A member has answered, and does not let somebody in. */
export class SignInRefused extends Error {}

/**
 * Asks the first endpoint that answers for a token, if somebody is to sign in; members that ask
 * nobody who calls give none.
 *
 * @throws {Error} no endpoint can be reached, or name and password are refused; in words
 */
export async function signIn(endpoints: readonly Endpoint[], access: Access): Promise<void> {
  if (access.account === undefined) {
    return;
  }
  let problem = new Error('there is no endpoint');
  for (const endpoint of endpoints) {
    try {
      access.token = await tokenFrom(endpoint, access);
      return;
    } catch (error) {
      problem = error as Error;
    }
  }
  throw problem;
}

async function tokenFrom(endpoint: Endpoint, access: Access): Promise<string | undefined> {
  const { account } = access;
  // Without the token of before: it may have ended.
  const connection = await Connection.open({
    endpoints: [endpoint],
    access: { secureContext: access.secureContext, token: undefined },
    onLost: () => undefined,
  });
  try {
    const request = frameMessage(Authenticate.requestSerialize(account ?? {}));
    const result = await connection.callForAnswer(Authenticate.path, request);
    if (result.code !== grpcOk && result.text === notAsked) {
      return undefined;
    }
    const message = unframeMessage(result.answer);
    if (result.code !== grpcOk || message === undefined) {
      throw new SignInRefused(`${account?.name ?? ''} cannot sign in: ${result.text}`);
    }
    return Authenticate.responseDeserialize(message).token;
  } finally {
    connection.close();
  }
}
