/** `etcdserverpb.Cluster`: the members of the cluster. */
import type * as wire from '../wire/index.ts';
import { headerOf, type ServiceContext, unary } from './service.ts';

/** The handlers of the service. */
export function createClusterService(context: ServiceContext): wire.ClusterHandlers {
  const { member } = context;
  return {
    MemberList: unary(
      context,
      'MemberList',
      async (request: wire.MemberListRequest, options): Promise<wire.MemberListResponse> => {
        if (request.linearizable) {
          await member.confirmRead(options);
        }
        return {
          header: headerOf(context, 0),
          members: member.members().map((each) => ({
            ID: each.id,
            name: each.name,
            peerURLs: [...each.peerUrls],
            clientURLs: [...each.clientUrls],
            isLearner: each.isLearner,
          })),
        };
      },
    ),
  };
}
