/** Facade of the services in front of a member. */
export { HttpEndpoints, type HttpEndpointsOptions } from './http-endpoints.ts';
export { RpcServer, type RpcServerOptions } from './server.ts';
export type { Cryptography } from './cryptography.ts';
export type { SheddingEvent } from './admission.ts';
export type { RequestLimits } from './limits.ts';
