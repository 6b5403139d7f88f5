/** `holdfast.v1.Admin`: what can be done with members beyond etcd's API. */
import type * as wire from '../wire/index.ts';
import { fromMember, fromMembers, toMemberId, toPeerUrls } from './member-requests.ts';
import { headerOf, type ServiceContext, unary } from './service.ts';

/** The handlers of the service. */
export function createAdminService(context: ServiceContext): wire.AdminHandlers {
  const { member } = context;
  return {
    MemberDemote: unary(
      context,
      'MemberDemote',
      async (request: wire.MemberDemoteRequest, options): Promise<wire.MemberDemoteResponse> => {
        await member.administration.demoteMember(toMemberId(request.id), options);
        return { header: headerOf(context, 0), members: fromMembers(member.members()) };
      },
    ),

    MemberReplace: unary(
      context,
      'MemberReplace',
      async (request: wire.MemberReplaceRequest, options): Promise<wire.MemberReplaceResponse> => {
        const added = await member.administration.replaceMember(
          toMemberId(request.id),
          {
            peerUrls: toPeerUrls(request.peer_urls),
            isLearner: request.is_learner,
            autoPromote: request.is_learner && request.auto_promote,
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
  };
}
