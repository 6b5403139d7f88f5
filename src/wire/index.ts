/** Facade of the protobuf contracts: the services, loaded, and the types of their messages. */
export { services } from './services.ts';
export type * from './types.ts';
