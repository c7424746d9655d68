import type { Command } from 'commander';
import type { BenchResult, Percentiles } from '../bench/counts.ts';
import { EXIT } from '../exit.ts';
import { integer } from '../options.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

/** `posthorn bench`. */
export function addBench(program: Command, withContext: WithContext): void {
  program
    .command('bench')
    .description('put a short load on a deployment and print the results (needs AUTH_JWT_SECRET)')
    .option('--users <count>', 'connected users, who send to each other', '20')
    .option('--rate <count>', 'messages per second, over all users', '100')
    .option('--seconds <count>', 'how long the load lasts', '10')
    .action(
      withContext<[], { users: string; rate: string; seconds: string }>(async (context, _args, given) => {
        const options = {
          users: integer('--users', given.users, 2, 1_000),
          rate: integer('--rate', given.rate, 1, 10_000),
          seconds: integer('--seconds', given.seconds, 1, 600),
        };
        const { Presets, SingleBar } = await import('cli-progress');
        const { runBench } = await import('../bench/bench.ts');
        const format = '{bar} {percentage} %  {accepted} accepted, {arrived} arrived';
        const bar = context.out.isLive
          ? new SingleBar(
              { format, stream: context.out.errorStream, clearOnComplete: true, hideCursor: true },
              Presets.shades_classic,
            )
          : undefined;
        bar?.start(100, 0, { accepted: 0, arrived: 0 });
        const result = await runBench(context, options, (counts, share) =>
          bar?.update(Math.round(share * 100), {
            accepted: counts.acceptedCount,
            arrived: counts.arrivedCount,
          }),
        ).finally(() => bar?.stop());
        await context.out.result(result, () => inWords(result));
        if (context.stop.aborted) return EXIT.interrupted;
        return result.missing === 0 && result.accepted > 0 ? EXIT.ok : EXIT.failed;
      }),
    );
}

function inWords(result: BenchResult): string {
  const { users, wantedRate, accepted, refused, firstRefusal, arrived, missing, again, clientErrors } =
    result;
  const refusals = refused === 0 ? '' : `, the first because: ${firstRefusal}`;
  return [
    columns([
      ['users', String(users)],
      ['accepted', `${accepted}, ${result.acceptedPerSecond.toFixed(0)}/s of ${wantedRate}/s`],
      ['refused', `${refused}${refusals}`],
      ['arrived', String(arrived)],
      ['missing', `${missing} accepted, but not delivered within 30 s`],
      ['again', `${again} handed out twice`],
      ['errors', `${clientErrors} on connections`],
    ]),
    '',
    columns([
      ['ms from when it was due', 'p50', 'p99', 'max'],
      row('201', result.post),
      row('at the recipient', result.arrival),
    ]),
  ].join('\n');
}

function row(name: string, { p50, p99, max }: Percentiles): string[] {
  return [name, p50.toFixed(1), p99.toFixed(1), max.toFixed(1)];
}
