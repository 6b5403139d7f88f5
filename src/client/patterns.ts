/** Public names of what follows a range: caches, change feeds, reconcilers. Made by a `Kv`. */
export type { Cache, CacheChange, CacheListener, CacheMetrics, CacheOptions } from './cache.ts';
export type { CacheKeyChange, CacheView } from './cache-table.ts';
export type {
  ChangeFeed,
  ChangeFeedMetrics,
  ChangeFeedOptions,
  Delivery,
  DeliveryHandler,
  FeedLock,
} from './change-feed.ts';
export type {
  Leading,
  ReconcileFailure,
  Reconciler,
  ReconcilerMetrics,
  ReconcilerOptions,
  ReconcileState,
} from './reconciler.ts';
