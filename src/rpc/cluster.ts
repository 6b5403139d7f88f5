/** `etcdserverpb.Cluster`: the members of the cluster, and changes of them. */
import { KvError } from '../base/index.ts';
import type { CallOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { fromMember, fromMembers, toMemberId, toPeerUrls } from './member-requests.ts';
import { headerOf, type ServiceContext, unary } from './service.ts';

/** The handlers of the service. */
export function createClusterService(context: ServiceContext): wire.ClusterHandlers {
  const { member } = context;

  /** A method that changes something about one member and answers all of them. */
  const change = <Request>(
    method: string,
    carryOut: (request: Request, options: CallOptions) => Promise<void>,
  ) =>
    unary(context, method, async (request: Request, options) => {
      await carryOut(request, options);
      return { header: headerOf(context, 0), members: fromMembers(member.members()) };
    });

  return {
    MemberAdd: unary(
      context,
      'MemberAdd',
      async (request: wire.MemberAddRequest, options): Promise<wire.MemberAddResponse> => {
        const added = await member.administration.addMember(
          {
            peerUrls: toPeerUrls(request.peerURLs),
            isLearner: request.isLearner,
            autoPromote: request.isLearner && request.holdfastAutoPromote,
          },
          options,
        );
        return {
          header: headerOf(context, 0),
          member: fromMember(added),
          members: fromMembers(member.members()),
        };
      },
    ),

    MemberRemove: change('MemberRemove', async ({ ID }: wire.MemberRemoveRequest, options) => {
      const id = toMemberId(ID);
      // A removal twice is one to the log, but who asks for one of long ago is to be told.
      await member.confirmRead(options);
      if (member.members().every((each) => each.id !== id)) {
        throw new KvError('MEMBER_NOT_FOUND');
      }
      await member.administration.removeMember(id, options);
    }),

    MemberUpdate: change(
      'MemberUpdate',
      async ({ ID, peerURLs }: wire.MemberUpdateRequest, options) =>
        member.administration.updateMember(toMemberId(ID), toPeerUrls(peerURLs), options),
    ),

    MemberList: unary(
      context,
      'MemberList',
      async (request: wire.MemberListRequest, options): Promise<wire.MemberListResponse> => {
        if (request.linearizable) {
          await member.confirmRead(options);
        }
        return { header: headerOf(context, 0), members: fromMembers(member.members()) };
      },
    ),

    MemberPromote: change('MemberPromote', async ({ ID }: wire.MemberPromoteRequest, options) =>
      member.administration.promoteMember(toMemberId(ID), options),
    ),
  };
}
