/** Asks members who leads them, by etcd's `Maintenance.Status`. */
import { services } from '../../wire/index.ts';
import type { Access } from './access.ts';
import { Connection, type Endpoint, grpcOk } from './connection.ts';
import { frameMessage, unframeMessage } from './requests.ts';

/** What is wanted of a status: ids in decimal, as they come. */
interface MemberStatus {
  readonly memberId: string;
  readonly leaderId: string;
}

const statusMethod = services['etcdserverpb.Maintenance'].Status;

/**
 * The leader's endpoint, once every member names the same one; undefined while they do not.
 *
 * @throws {Error} a member cannot be asked; says which and why
 */
export async function findLeader(
  endpoints: readonly Endpoint[],
  access: Access,
): Promise<Endpoint | undefined> {
  const statuses = await Promise.all(
    endpoints.map(async (endpoint) => readStatus(endpoint, access)),
  );
  const leaderId = statuses[0]?.leaderId;
  const isAgreed = statuses.every((status) => status.leaderId === leaderId);
  return isAgreed
    ? endpoints[statuses.findIndex((status) => status.memberId === leaderId)]
    : undefined;
}

async function readStatus(endpoint: Endpoint, access: Access): Promise<MemberStatus> {
  const connection = await Connection.open({
    endpoints: [endpoint],
    access,
    onLost: () => undefined,
  });
  try {
    const request = frameMessage(statusMethod.requestSerialize({}));
    const result = await connection.callForAnswer(statusMethod.path, request);
    const message = unframeMessage(result.answer);
    if (result.code !== grpcOk || message === undefined) {
      throw new Error(`asked for its status, it said: ${result.text} (code ${result.code})`);
    }
    const status = statusMethod.responseDeserialize(message);
    return { memberId: status.header?.member_id ?? '', leaderId: status.leader };
  } finally {
    connection.close();
  }
}
