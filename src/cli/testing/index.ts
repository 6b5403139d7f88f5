/** Facade of clusters for tests: `import { startTestCluster } from 'holdfast/testing'`. */
export { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts';
export type { TestMember } from './test-member.ts';
