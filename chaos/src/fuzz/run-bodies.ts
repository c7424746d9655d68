import type { Feed } from './feed';
import type { BodyCase } from './fuzz-case';
import { AnswerReader, type HttpAnswer } from './http-answers';
import type { HttpJudge } from './judge-http';
import type { Ledger } from './ledger';
import { Line } from './line';
import type { Report } from './report';

/** What a runner of HTTP cases needs. */
export interface HttpRunner {
  feed: Feed;
  port: number;
  judge: HttpJudge;
  ledger: Ledger;
  report: Report;
}

const PIPELINED = 8;
const ANSWER_BOUND_MS = 10_000;

interface Connection {
  line: Line;
  reader: AnswerReader;
  answers: HttpAnswer[];
  /** Whether an answer said that it is the last one, or none came. */
  isOver: boolean;
}

/** Sends complete requests, several at a time on one connection. It keeps the connection as long as the server does. */
export async function runBodies(runner: HttpRunner): Promise<void> {
  const { feed, report } = runner;
  let connection: Connection | null = null;
  for (let batch = takeBatch(feed); batch.length > 0 && !report.isHopeless; batch = takeBatch(feed)) {
    let left: readonly BodyCase[] = batch;
    while (left.length > 0) {
      connection ??= await connect(runner.port);
      const answered = await exchange(runner, connection, left);
      if (connection.isOver || connection.line.hasEnded) {
        connection.line.close();
        connection = null;
      }
      if (answered === 0) report.fail(left[0] ?? null, 'no answer');
      // Requests after one that closed the connection may have been processed, and are sent again.
      const unanswered = left.slice(Math.max(1, answered));
      runner.ledger.unknownSends += unanswered.length;
      left = unanswered;
    }
    report.done += batch.length;
  }
  connection?.line.close();
}

function takeBatch(feed: Feed): BodyCase[] {
  const batch: BodyCase[] = [];
  while (batch.length < PIPELINED) {
    const next = feed.take('bodies');
    if (next === null) break;
    batch.push(next);
    if (mayClose(next)) break;
  }
  return batch;
}

/** A request that is refused before its body was read closes the connection, so nothing is sent after it. */
function mayClose({ expected }: BodyCase): boolean {
  return expected === null || expected.some((status) => UNREAD.has(status));
}

const UNREAD = new Set([401, 404, 405, 413, 415]);

async function connect(port: number): Promise<Connection> {
  const reader = new AnswerReader();
  const answers: HttpAnswer[] = [];
  const line = await Line.open(port, (bytes) => answers.push(...reader.push(bytes)));
  return { line, reader, answers, isOver: false };
}

/** Returns the number of answers. */
async function exchange(
  { judge, report }: HttpRunner,
  connection: Connection,
  batch: readonly BodyCase[],
): Promise<number> {
  const { line, reader, answers } = connection;
  for (const { method } of batch) reader.expect(method);
  line.write(Buffer.concat(batch.map(({ bytes }) => bytes)));
  await line.until(() => answers.length >= batch.length || isLast(answers.at(-1)), ANSWER_BOUND_MS);
  const got = answers.splice(0);
  for (const [index, answer] of got.entries()) {
    const asked = batch[index];
    if (asked === undefined) report.fail(batch.at(-1) ?? null, 'more answers than requests');
    else judge.judge(asked, asked.method, answer);
  }
  if (line.fault !== null) report.fail(batch[got.length] ?? null, line.fault);
  if (got.length < batch.length && !isLast(got.at(-1))) {
    report.fail(
      batch[got.length] ?? null,
      line.hasEnded ? 'the connection was closed without a word' : 'no answer',
    );
    connection.isOver = true;
  }
  connection.isOver ||= isLast(got.at(-1));
  return got.length;
}

function isLast(answer: HttpAnswer | undefined): boolean {
  return answer?.headers.get('connection')?.toLowerCase() === 'close';
}
