/** Facade of the transport between members. */
export { GrpcTransport, type GrpcTransportOptions } from './grpc-transport.ts';
export type { PeerEvent } from './peer-link.ts';
export type { Peer, PeerLink, Transport, TransportHandler } from './ports.ts';
