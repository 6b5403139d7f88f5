import { createMemoryEngine } from '../../src/storage/index.ts';
import { describeEngine } from '../conformance/engine.suite.ts';

describeEngine('MemoryEngine', async () => Promise.resolve(createMemoryEngine()));
