/**
 * Every metric of a member, in one place: names `holdfast_*`, base units, a help sentence each.
 *
 * Each member has a registry of its own, so several can live in one process. What is observed per
 * request goes through {@link LatencyRecorder}, which costs an addition; the histogram is made when
 * somebody looks.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MonotonicClock } from '../base/index.ts';

/** Bounds of latency buckets, seconds: 0.1 ms to 10 s. */
const latencyBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Time between two looks at the event loop, milliseconds. */
const loopDelayPeriodMs = 10;

/** What a request's method and code say about it. */
interface RequestLabels {
  readonly method: string;
  readonly code: string;
}

/** Collects latencies of one kind cheaply and shows them as a histogram. */
export class LatencyRecorder {
  readonly #name: string;
  readonly #help: string;
  readonly #counts = new Float64Array(latencyBuckets.length + 1);
  #sum = 0;

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** Notes one latency, in seconds. */
  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < latencyBuckets.length && seconds > (latencyBuckets[bucket] as number)) {
      bucket++;
    }
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += seconds;
  }

  /** The histogram in the text format of Prometheus. */
  render(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    let count = 0;
    for (const [i, bound] of latencyBuckets.entries()) {
      count += this.#counts[i] as number;
      lines.push(`${this.#name}_bucket{le="${bound}"} ${count}`);
    }
    count += this.#counts[latencyBuckets.length] as number;
    lines.push(`${this.#name}_bucket{le="+Inf"} ${count}`);
    lines.push(`${this.#name}_sum ${this.#sum}`, `${this.#name}_count ${count}`);
    return `${lines.join('\n')}\n`;
  }
}

/** All metrics of one member. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #recorders: LatencyRecorder[] = [];
  readonly #requestCounts = new Map<string, { readonly labels: RequestLabels; count: number }>();

  readonly proposalsTotal = this.#counter(
    'holdfast_proposals_total',
    'Commands that clients of this member have asked for.',
  );
  readonly proposalsFailed = this.#counter(
    'holdfast_proposals_failed_total',
    'Commands that ended in an error, by whether they may have happened.',
    ['outcome'],
  );
  readonly proposalsPending = this.#gauge(
    'holdfast_proposals_pending',
    'Commands that wait for their result.',
  );
  readonly readsPending = this.#gauge(
    'holdfast_reads_pending',
    'Linearizable reads that wait for permission.',
  );
  readonly leaseReads = this.#gauge(
    'holdfast_lease_reads',
    'Requests for a read index that a lease of this member has answered since the start.',
  );
  readonly requestsRefused = this.#counter(
    'holdfast_requests_refused_total',
    'Requests that were refused for lack of room, by reason and class of work; none had an effect.',
    ['reason', 'class'],
  );
  readonly callsDenied = this.#counter(
    'holdfast_calls_denied_total',
    'Calls that were turned away for who called, by method and code; none had an effect.',
    ['method', 'code'],
  );
  readonly connections = this.#gauge(
    'holdfast_connections',
    'Connections that are open, by listener.',
    ['listener'],
  );
  readonly connectionsRefused = this.#counter(
    'holdfast_connections_refused_total',
    'Connections that were refused before any request, by listener and reason.',
    ['listener', 'reason'],
  );
  readonly certificateExpiry = this.#gauge(
    'holdfast_certificate_expiry_timestamp_seconds',
    'When what TLS uses ends to be good, seconds since 1970, by use.',
    ['use'],
  );
  readonly certificateReloads = this.#counter(
    'holdfast_certificate_reloads_total',
    'Changes of certificate files that were found, by use and result: ok, or failed.',
    ['use', 'result'],
  );
  readonly inflightRequests = this.#gauge(
    'holdfast_inflight_requests',
    'Requests of clients under way, streams not counted.',
  );
  readonly inflightBytes = this.#gauge(
    'holdfast_inflight_bytes',
    'Bytes of requests under way and of answers that wait for their clients.',
  );
  readonly clientStreams = this.#gauge(
    'holdfast_client_streams',
    'Streams of clients, and calls that wait for others, open on this member.',
  );
  readonly clients = this.#gauge(
    'holdfast_clients',
    'Connections that have had something under way within about a second.',
  );
  readonly memoryShortage = this.#gauge(
    'holdfast_memory_shortage',
    'Whom lack of memory affects: 0 nobody, 1 bulk work, 2 ordinary work.',
  );
  readonly commitSeconds = this.#latency(
    'holdfast_commit_duration_seconds',
    'Time from taking a command to its result on this member.',
  );
  readonly readIndexSeconds = this.#latency(
    'holdfast_read_index_duration_seconds',
    'Time a linearizable read waits for permission.',
  );
  readonly fsyncSeconds = this.#latency(
    'holdfast_wal_fsync_duration_seconds',
    'Time of one synced append to the log, write included.',
  );
  readonly applySeconds = this.#latency(
    'holdfast_apply_duration_seconds',
    'Time from committing a batch to having its results.',
  );
  readonly requestSeconds = this.#latency(
    'holdfast_request_duration_seconds',
    'Time of one gRPC request, from its decoding to its answer.',
  );
  readonly applyBatchEntries = this.#histogram(
    'holdfast_apply_batch_entries',
    'Entries applied in one batch.',
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  readonly leaderChanges = this.#counter(
    'holdfast_leader_changes_total',
    'Changes of the leader that this member has seen, losses included.',
  );
  readonly watchStreams = this.#gauge('holdfast_watch_streams', 'Streams of watches open here.');
  readonly watches = this.#gauge('holdfast_watches', 'Watches open on this member.');
  readonly watchesBehind = this.#gauge(
    'holdfast_watches_behind',
    'Watches that have events to come from memory or history: new ones, and slow readers.',
  );
  readonly watchQueueBytes = this.#gauge(
    'holdfast_watch_queue_bytes',
    'Bytes of events that wait for, or are on their way to, clients that watch.',
  );
  readonly watchQueueBytesMax = this.#gauge(
    'holdfast_watch_queue_bytes_max',
    'Bytes of such events from which on watches fall behind: the bound of this member.',
  );
  readonly watchEventsSent = this.#counter(
    'holdfast_watch_events_sent_total',
    'Events sent to clients that watch.',
  );
  readonly hasLeader = this.#gauge('holdfast_has_leader', '1 while this member knows a leader.');
  readonly featureLevel = this.#gauge(
    'holdfast_feature_level',
    "The cluster's feature level, as of what this member has applied.",
  );
  readonly featureLevelMax = this.#gauge(
    'holdfast_feature_level_max',
    'Newest feature level that this member reads.',
  );
  readonly peerFeatureLevelMax = this.#gauge(
    'holdfast_peer_feature_level_max',
    'Newest feature level that a peer reads, while it is connected both ways.',
    ['peer'],
  );
  readonly isQuarantined = this.#gauge(
    'holdfast_quarantined',
    '1 while this member serves nothing because its state is damaged and being rebuilt.',
  );
  readonly stateHashMismatches = this.#counter(
    'holdfast_state_hash_mismatches_total',
    "Comparisons in which this member's state contradicted that of others.",
  );
  readonly alarms = this.#gauge(
    'holdfast_alarms',
    'Members for which an alarm of a kind is on, as this member knows.',
    ['alarm'],
  );
  readonly leaderHandovers = this.#counter(
    'holdfast_leader_handovers_total',
    'Leaderships given up because event loop, disk or state were not in order.',
  );
  readonly isLeader = this.#gauge('holdfast_is_leader', '1 while this member leads.');
  readonly term = this.#gauge('holdfast_raft_term', 'The term this member is in.');
  readonly commitIndex = this.#gauge('holdfast_raft_commit_index', 'Last entry known committed.');
  readonly appliedIndex = this.#gauge('holdfast_raft_applied_index', 'Last entry applied.');
  readonly revision = this.#gauge('holdfast_kv_revision', 'Revision of the newest change.');
  readonly compactRevision = this.#gauge(
    'holdfast_kv_compact_revision',
    'Revision up to which history is compacted.',
  );
  readonly removedRevision = this.#gauge(
    'holdfast_kv_removed_revision',
    'Revision up to which compacted history is gone from the disk.',
  );
  readonly removedEvents = this.#counter(
    'holdfast_kv_removed_events_total',
    'Events of compacted history that are gone from the disk.',
  );
  readonly removalSeconds = this.#histogram(
    'holdfast_kv_removal_duration_seconds',
    'Time from the first step of removing compacted history to the last.',
    [0.01, 0.1, 1, 10, 60, 600, 3600],
  );
  readonly autoCompactions = this.#counter(
    'holdfast_kv_auto_compactions_total',
    'Compactions of history that this member has ordered by itself while it led.',
  );
  readonly storeBytes = this.#gauge(
    'holdfast_store_bytes',
    'Approximate bytes on disk of log and state.',
  );
  readonly stateBytes = this.#gauge(
    'holdfast_state_bytes',
    'Approximate bytes on disk of the state alone: what the quota limits.',
  );
  readonly quotaBytes = this.#gauge(
    'holdfast_quota_bytes',
    'Bytes of state from which on only what makes room is taken.',
  );
  readonly peerConnected = this.#gauge(
    'holdfast_peer_connected',
    '1 while the link to a peer stands.',
    ['peer'],
  );
  readonly peerRoundTripSeconds = this.#gauge(
    'holdfast_peer_round_trip_seconds',
    'Last measured round trip to a peer.',
    ['peer'],
  );
  readonly peerQueueBytes = this.#gauge(
    'holdfast_peer_queue_bytes',
    'Bytes that wait to be sent to a peer.',
    ['peer'],
  );
  readonly peerMessagesDropped = this.#gauge(
    'holdfast_peer_messages_dropped',
    'Messages to a peer that were dropped since the start: no link, or a full queue.',
    ['peer'],
  );
  readonly internalErrors = this.#counter(
    'holdfast_internal_errors_total',
    'Errors that no code of the catalogue describes; each is a defect.',
  );

  constructor() {
    // A sample that appears with its first count hides that count from a rate: both begin at 0.
    for (const outcome of ['rejected', 'unknown']) {
      this.proposalsFailed.inc({ outcome }, 0);
    }
  }

  /** Starts what costs something all the time: process metrics and the watch on the event loop. */
  startProcessMetrics(clock: MonotonicClock): void {
    collectDefaultMetrics({ register: this.#registry, prefix: 'holdfast_' });
    // What this says of the event loop includes the distance between two looks; ours does not.
    for (const { name } of this.#registry.getMetricsAsArray()) {
      if (name.startsWith('holdfast_nodejs_eventloop_lag')) {
        this.#registry.removeSingleMetric(name);
      }
    }
    this.#registry.registerMetric(
      new Counter({
        name: 'holdfast_clock_seconds_total',
        help: 'The monotonic clock of this process; leases count by it.',
        registers: [],
        collect() {
          this.reset();
          this.inc(clock.nowMs() / 1000);
        },
      }),
    );
    const loopDelay = monitorEventLoopDelay({ resolution: loopDelayPeriodMs });
    loopDelay.enable();
    this.#registry.registerMetric(
      new Gauge({
        name: 'holdfast_event_loop_delay_seconds',
        help: 'Delay of the event loop since the last look, by quantile.',
        labelNames: ['quantile'],
        registers: [],
        collect() {
          this.set({ quantile: '0.5' }, loopDelaySeconds(loopDelay.percentile(50)));
          this.set({ quantile: '0.99' }, loopDelaySeconds(loopDelay.percentile(99)));
          this.set({ quantile: '1' }, loopDelaySeconds(loopDelay.max));
          loopDelay.reset();
        },
      }),
    );
  }

  /** Counts one finished gRPC request. */
  countRequest(method: string, code: string, seconds: number): void {
    this.requestSeconds.observe(seconds);
    const key = `${method} ${code}`;
    const known = this.#requestCounts.get(key);
    if (known === undefined) {
      this.#requestCounts.set(key, { labels: { method, code }, count: 1 });
    } else {
      known.count++;
    }
  }

  /** Counts one request that was refused for lack of room. */
  countRefusal(reason: string, workClass: string): void {
    this.requestsRefused.inc({ reason, class: workClass });
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** Everything in the text format of Prometheus. */
  async render(): Promise<string> {
    const requests = [
      '# HELP holdfast_requests_total Finished gRPC requests, by method and status code.',
      '# TYPE holdfast_requests_total counter',
    ];
    for (const { labels, count } of this.#requestCounts.values()) {
      requests.push(
        `holdfast_requests_total{method="${labels.method}",code="${labels.code}"} ${count}`,
      );
    }
    const recorded = this.#recorders.map((recorder) => recorder.render()).join('');
    return `${await this.#registry.metrics()}\n${recorded}${requests.join('\n')}\n`;
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }

  #latency(name: string, help: string): LatencyRecorder {
    const recorder = new LatencyRecorder(name, help);
    this.#recorders.push(recorder);
    return recorder;
  }
}

/**
 * Node reports the time from one look to the next: what goes beyond their distance is the delay.
 */
function loopDelaySeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - loopDelayPeriodMs / 1000);
}
