/** The command `bench`: its options and its help. */
import type { Command } from 'commander';
import { addAccessOptions } from '../client/access.ts';
import type { BenchFlags } from './options.ts';

/** Adds the command. */
export function registerBench(program: Command): void {
  addAccessOptions(program.command('bench [workload]'))
    .description(
      'put load on an etcd v3 endpoint: put, range, mixed, txn, watch, watch-idle, lease-grant, ' +
        'lease-keepalive or lease-expire',
    )
    .option('--endpoints <list>', 'members to put load on (default 127.0.0.1:2379)')
    .option('--clients <count>', 'callers, each with one call under way (default 1)')
    .option('--connections <count>', 'connections they share (default: one each)')
    .option('--target-leader', 'connect to the leader only')
    .option('--key-size <bytes>', 'size of keys', '8')
    .option('--value-size <bytes>', 'size of values', '256')
    .option('--key-space <count>', 'number of different keys', '10000')
    .option('--sequential-keys', 'take the keys in turn, not by chance')
    .option('--consistency <l|s>', 'reads are linearizable or serializable', 'l')
    .option('--read-ratio <share>', 'share of reads in mixed, 0 to 1', '0.5')
    .option('--total <count>', 'stop after so many calls')
    .option('--duration <time>', 'stop after a time, as 10s (default 10s)')
    .option('--rate <count>', 'calls per second of all clients (default: as many as they can)')
    .option('--warmup <time>', 'load before the measurement that does not count', '1s')
    .option('--samples <file>', 'write the time and latency of each measured call to it')
    .option('--seed <number>', 'same seed, same requests', '1')
    .option('-w, --write-out <simple|json>', 'form of the output', 'simple')
    .option('--watchers <count>', 'watchers (default: watch 100, watch-idle 100000)')
    .option('--leases <count>', 'leases (default: lease-keepalive 10000, lease-expire 100000)')
    .option('--streams <count>', 'streams of watchers or renewals, each a connection (default 10)')
    .option('--suite [list]', 'run a standard list, kv (default) or notice, and print a table')
    .option('--against <etcd>', 'start a Holdfast and an etcd cluster here and compare them')
    .option('--tls', 'let the clusters of --against speak TLS, with certificates made for it')
    .option('--client [only]', "measure Holdfast's client library, too (put, range or mixed)")
    .option('--rounds <count>', 'measurements of each case (default 1; 3 with --against)')
    .option('--data-root <folder>', 'where --against keeps data while it runs (default: tmp)')
    .addHelpText(
      'after',
      `
Keys are written and stay: do not point it at a cluster whose data matters.

Examples:
  holdfast bench put --clients 1000 --connections 100 --endpoints 127.0.0.1:2379,127.0.0.1:22379
  holdfast bench range --consistency s --total 100000
  holdfast bench watch --watchers 1000 --clients 100 --connections 10
  holdfast bench --suite --against etcd --duration 10s --rounds 3
  holdfast bench --suite notice --against etcd --data-root /var/tmp
  holdfast bench put --client --clients 1000 --connections 100 --against etcd --tls
  holdfast bench put --endpoints https://10.0.0.1:2379 --cacert ca.pem --user bench`,
    )
    .action(async (workload: string | undefined, flags: BenchFlags) => {
      const { runBench } = await import('./run.ts');
      await runBench(workload, flags);
    });
}
