/**
 * Services whose messages are measured as they pass: how long a request was on the wire, and how
 * long an answer is. grpc-js tells neither.
 */
import type { ServiceDefinition } from '@grpc/grpc-js';

/** Bytes of a request on the wire; on the decoded message itself, which costs the least. */
const wireBytes = Symbol('bytes on the wire');

/** A decoded request. */
interface Measured {
  [wireBytes]?: number;
}

let encodedBytes = 0;

/** The same service, measured. */
export function measured<Definition extends object>(definition: Definition): Definition {
  const methods = Object.entries(definition as ServiceDefinition).map(([name, method]) => {
    const { requestDeserialize, responseSerialize } = method;
    return [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer): object => {
          const request = requestDeserialize(bytes) as Measured;
          request[wireBytes] = bytes.length;
          return request;
        },
        responseSerialize: (response: object): Buffer => {
          const bytes = responseSerialize(response);
          encodedBytes = bytes.length;
          return bytes;
        },
      },
    ] as const;
  });
  return Object.fromEntries(methods) as Definition;
}

/** Bytes of a request on the wire; 0 of anything else. */
export function decodedBytesOf(request: unknown): number {
  return (request as Measured)[wireBytes] ?? 0;
}

/** Bytes of the answer encoded last, once: 0 until the next one has been encoded. */
export function takeEncodedBytes(): number {
  const bytes = encodedBytes;
  encodedBytes = 0;
  return bytes;
}
