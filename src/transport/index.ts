/** Facade of the transport between members. */
export { type DescribeOptions, describeCluster } from './describe-cluster.ts';
export { commandBytesLimit, GrpcTransport, type GrpcTransportOptions } from './grpc-transport.ts';
export type { PeerEvent } from './peer-link.ts';
export type {
  Admission,
  Announcement,
  Applicant,
  ClusterDescription,
  DescribedMember,
  Peer,
  PeerLink,
  PeerMessage,
  Refusal,
  SnapshotFetch,
  StateHashReport,
  Transport,
  TransportHandler,
  VersionRange,
} from './ports.ts';
