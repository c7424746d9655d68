import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { caseRandom, type RawCase } from './fuzz-case';
import { AnswerReader, type HttpAnswer } from './http-answers';
import { Line } from './line';
import type { HttpRunner } from './run-bodies';
import { clientFrame, FrameReader, OPCODE, type WireFrame } from './wire';

const ANSWER_BOUND_MS = 10_000;
/**
 * How long to wait for bytes that must not come. The server keeps the connection open longer, so that slow clients
 * see its answer.
 */
const SILENCE_MS = 50;

/** Sends each case on its own connection: raw HTTP to send-api, or upgrades to ws-gateway. */
export async function runRaw(runner: HttpRunner, lane: 'raw' | 'upgrade'): Promise<void> {
  const { feed, report } = runner;
  for (let asked = feed.take(lane); asked !== null && !report.isHopeless; asked = feed.take(lane)) {
    await runOne(runner, asked);
    report.done++;
  }
}

async function runOne({ port, judge, ledger, report }: HttpRunner, asked: RawCase): Promise<void> {
  const reader = new AnswerReader();
  const answers: HttpAnswer[] = [];
  const frames: WireFrame[] = [];
  const frameReader = new FrameReader();
  let isUpgraded = false;
  const line = await Line.open(port, (bytes) => {
    if (isUpgraded) {
      frames.push(...frameReader.push(bytes));
      return;
    }
    answers.push(...reader.push(bytes));
    isUpgraded = answers.at(-1)?.status === 101;
    if (isUpgraded) frames.push(...frameReader.push(reader.rest));
  });
  for (const method of asked.answers) reader.expect(method);
  for (const [index, bytes] of asked.writes.entries()) {
    if (index > 0) await turn();
    line.write(bytes);
  }
  if (asked.ending !== 'wait') {
    // Sometimes the server gets time to begin.
    if (asked.number % 3 === 0) await turn();
    if (asked.ending === 'reset') line.reset();
    else line.fin();
    await line.until(() => false, SILENCE_MS);
    report.count(`${asked.lane} ${asked.ending}`);
  } else {
    const isDone = (): boolean => answers.length >= asked.answers.length || isLast(answers.at(-1));
    const outcome = await line.until(isDone, ANSWER_BOUND_MS);
    // Nothing may follow the last answer.
    if (outcome === true && !isUpgraded && isLast(answers.at(-1))) await line.until(() => false, SILENCE_MS);
    if (answers.length === 0) {
      report.fail(asked, outcome === 'late' ? 'no answer' : 'the connection was closed without a word');
    }
    if (answers.length > asked.answers.length) report.fail(asked, 'more answers than requests');
  }
  for (const [index, answer] of answers.entries()) judge.judge(asked, asked.answers[index] ?? 'GET', answer);
  // Each of several requests may have been processed, although its answer was cut off.
  if (asked.mayStore) ledger.unknownSends += Math.max(1, asked.answers.length);
  if (isUpgraded && asked.ending === 'wait') await welcome(asked, answers[0], line, frames, report);
  if (line.fault !== null) report.fail(asked, line.fault);
  line.close();
}

/** Checks the beginning of an upgraded connection, and then ends it in one of several ways. */
async function welcome(
  asked: RawCase,
  answer: HttpAnswer | undefined,
  line: Line,
  frames: readonly WireFrame[],
  report: HttpRunner['report'],
): Promise<void> {
  const request = Buffer.concat(asked.writes).toString('latin1');
  const key = /^sec-websocket-key: *(\S*)/im.exec(request)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  if (answer?.headers.get('sec-websocket-accept') !== accept) report.fail(asked, 'a 101 to another key');
  const subprotocol = answer?.headers.get('sec-websocket-protocol');
  if (subprotocol !== undefined && subprotocol !== 'posthorn.v1') report.fail(asked, 'another subprotocol');
  await line.until(() => frames.length > 0, ANSWER_BOUND_MS);
  const [first] = frames;
  const text = first?.opcode === OPCODE.text ? first.payload.toString('utf8') : '';
  // Garbage after the request may end the connection before the welcome.
  const isEnded = first?.opcode === OPCODE.close && asked.what.startsWith('garbage');
  if (!text.startsWith(`{"type":"welcome","user":"${asked.user ?? ''}",`) && !isEnded)
    report.fail(asked, `no welcome but ${line.hasEnded ? 'the end' : JSON.stringify(text)}`);
  const random = caseRandom(0, asked.number);
  const way = random.int(0, 2);
  if (way === 0) line.reset();
  else if (way === 1) line.fin();
  else line.write(clientFrame(random, OPCODE.close, Buffer.from([3, 232])));
  await line.until(() => false, SILENCE_MS);
}

function isLast(answer: HttpAnswer | undefined): boolean {
  return answer?.headers.get('connection')?.toLowerCase().includes('close') === true;
}
