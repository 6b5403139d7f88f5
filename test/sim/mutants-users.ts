/** Deliberate bugs about users, roles and permissions; see `mutants.ts`. */
import { kv, type Mutant, replica, sim } from './mutant.ts';

export const userMutants: readonly Mutant[] = [
  {
    lesson: 'asks what a writer may do when the write is proposed, and not where it is applied',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      sim(
        'gate.ts',
        'this.#run.propose(askedBy(identity.caller, command), timeoutUs, done);',
        'const access = this.auth.accessOf(identity.caller);\n' +
          "        if (command.type === 'put' && (typeof access === 'string' || " +
          '!access.mayWrite({ key: command.key }))) {\n' +
          "          done({ kind: 'failed', outcome: 'rejected', reason: 'denied' });\n" +
          '          return;\n' +
          '        }\n' +
          '        this.#run.propose(askedBy(identity.caller, command), timeoutUs, done);',
      ),
      kv(
        'authorise.ts',
        'const access = batch.auth.accessOf(caller);',
        "if (command.type === 'put') {\n    return undefined;\n  }\n" +
          '  const access = batch.auth.accessOf(caller);',
      ),
    ],
  },
  {
    lesson: 'keeps what a user may do for as long as a batch of entries lasts',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'authorise.ts',
        'const access = batch.auth.accessOf(caller);',
        'const kept = ((batch as { kept?: Map<unknown, Access> }).kept ??= new Map());\n' +
          '  const access = kept.get(caller?.user) ?? batch.auth.accessOf(caller);\n' +
          '  kept.set(caller?.user, access);',
      ),
    ],
  },
  {
    lesson: 'lets a user go on with what a role permits no more',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'auth-table.ts',
        '    for (const user of this.#users.values()) {\n      if (user.roles.includes(name)) {',
        '    for (const user of this.#users.values()) {\n' +
          '      if (user.roles.includes(name) && permissions.length === 0) {',
      ),
    ],
  },
  {
    lesson: 'does not count that a permission was taken from a role',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [
      kv(
        'auth-table.ts',
        '? this.#commit([this.#setRole(name, others)])',
        "? { kind: 'changed', writes: [this.#setRole(name, others)] }",
      ),
    ],
  },
  {
    lesson: 'leaves users and roles out of its snapshots',
    profile: 'users',
    seeds: 40,
    patches: [kv('key-layout.ts', '  authTable,\n  expiryTable,\n', '  expiryTable,\n')],
  },
  {
    lesson: 'has a deleted user again after a restart',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'auth-table.ts',
        "this.#commit([{ type: 'delete', key: userKey(name) }])",
        'this.#commit([])',
      ),
    ],
  },
  {
    lesson: 'takes a user of the same name for the one who has signed in',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'auth-table.ts',
        'if (user?.credentials !== caller.credentials) {',
        'if (user === undefined) {',
      ),
    ],
  },
  {
    lesson: 'puts keys under a lease whose other keys the writer may not write',
    profile: 'users',
    seeds: 150,
    kind: 'safety',
    patches: [
      kv(
        'authorise.ts',
        'return mayOperate(access, command) && (yield* mayUseLeases(batch, access, command));',
        'return mayOperate(access, command);',
      ),
    ],
  },
  {
    lesson: 'lets anybody use a session who knows its number',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'session-owners.ts',
        "return usesOthersSession(view, asker, command) ? 'SESSION_OF_ANOTHER' : undefined;",
        'return undefined;',
      ),
    ],
  },
  {
    lesson: 'lets root go on with the sessions of others',
    profile: 'users',
    seeds: 40,
    kind: 'safety',
    patches: [
      kv(
        'session-owners.ts',
        'return isOthers(owner) || usesOthersSession',
        'return (!isRoot && isOthers(owner)) || usesOthersSession',
      ),
    ],
  },
  {
    lesson: 'forgets at a restart, or with a snapshot, whose a session is',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'leases.ts',
        'return { id: leaseIdOf(key), ttlMs, deadlineMs, sinceMs, mayHoldKeys: false, owner };',
        'return { id: leaseIdOf(key), ttlMs, deadlineMs, sinceMs, mayHoldKeys: false, ' +
          'owner: owner && undefined };',
      ),
    ],
  },
  {
    lesson: 'stores whose a session is no more once its time counts',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      kv(
        'leases.ts',
        'leaseWrite({ id, ttlMs, deadlineMs, sinceMs, owner }: Lease): StateWrite {',
        'leaseWrite(lease: Lease): StateWrite {\n' +
          '  const { id, ttlMs, deadlineMs, sinceMs } = lease;\n' +
          '  const owner = deadlineMs === undefined ? lease.owner : undefined;',
      ),
    ],
  },
  {
    lesson: 'says whose a session is before all members read that',
    profile: 'users',
    seeds: 40,
    kind: 'safety',
    patches: [kv('apply-batch.ts', 'this.meta.level < levelOfOwners ? undefined : user', 'user')],
  },
  {
    lesson: 'lets anybody begin a watch',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-queue.ts',
        'const refusal = this.#denial(caller && { caller, ranges, access: undefined });',
        'const refusal = undefined as ErrorCode | undefined;',
      ),
    ],
  },
  {
    lesson: 'asks who watches when a watch begins, and never again',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [replica('watch-queue.ts', 'this.#denial(watch.claim);', 'undefined;')],
  },
  {
    lesson: 'lets a watch go on for as long as its user is there',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [replica('watch-queue.ts', 'access !== claim.access &&', '!claim.access &&')],
  },
  {
    lesson: 'lets somebody watch several ranges who may read one of them',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [replica('watch-queue.ts', '!claim.ranges.every(', '!claim.ranges.some(')],
  },
  {
    lesson: 'lets a watch go on that began before anybody was asked',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-queue.ts',
        'if (!auth.isEnabled) {',
        'if (!auth.isEnabled || claim === undefined) {',
      ),
    ],
  },
  {
    lesson: 'ends a watch for any change of what its user may do',
    profile: 'users',
    seeds: 10,
    kind: 'safety',
    patches: [
      replica(
        'watch-queue.ts',
        'access !== claim.access && !claim',
        'access !== claim.access && (claim.access ?? !claim',
      ),
      replica('watch-queue.ts', '=> access.mayRead(range))) {', '=> access.mayRead(range)))) {'),
    ],
  },
  {
    lesson: 'tells a watch the events that come with the change that ends it',
    profile: 'users',
    seeds: 60,
    kind: 'safety',
    patches: [
      sim(
        'watching.ts',
        "if (batch.changes.some(({ type }) => type === 'auth')) {",
        'if (false) {',
      ),
      sim(
        'watching.ts',
        'place.isPublishing = false;',
        'place.isPublishing = false;\n    reauthorise(place);',
      ),
    ],
  },
  {
    lesson: 'goes on with its watches as they are when a snapshot brings other users',
    profile: 'users',
    seeds: 60,
    kind: 'safety',
    patches: [
      sim(
        'watching.ts',
        'place.hub.reset(revision, compactRevision);\n    reauthorise(place);',
        'place.hub.reset(revision, compactRevision);',
      ),
    ],
  },
  {
    lesson: 'asks the users that were there before a snapshot came',
    profile: 'users',
    seeds: 20,
    kind: 'safety',
    patches: [
      replica(
        'auth.ts',
        'return this.#options.table();',
        'const kept = this.#options as { first?: AuthTable };\n' +
          '    return (kept.first ??= this.#options.table());',
      ),
    ],
  },
];
