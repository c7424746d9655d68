import { randomBytes } from 'node:crypto';
import type { Feed } from './feed';
import { PREFILL } from './frame-cases';
import { caseRandom, type FrameSelf, type TextCase, type WireCase } from './fuzz-case';
import { AnswerReader } from './http-answers';
import type { Ledger } from './ledger';
import { Line } from './line';
import type { Report } from './report';
import { clientFrame, FrameReader, OPCODE, type WireFrame } from './wire';

/** What a runner of frames needs: one user, one device. */
export interface FrameRunner {
  feed: Feed;
  port: number;
  user: string;
  self: FrameSelf;
  ledger: Ledger;
  report: Report;
}

/** One less than the bad frames in a row that make the gateway close (PROTOCOL §5.4). */
const BATCH = 15;
const BOUND_MS = 10_000;
const MAX_TRIES = 5;
const RETRY_MS = 500;
/**
 * The close code for too many bad frames in a row. Batches can add up to that, because answers to read and auth come
 * late.
 */
const TOO_MANY_BAD = 1008;

const ERROR_CODES = new Set([
  'invalid_json',
  'unknown_type',
  'invalid_field',
  'unknown_field',
  'ack_beyond_sent',
  'not_in_inbox',
  'invalid_token',
  'wrong_user',
  'unavailable',
]);

interface Answer {
  type: string;
  code: string | null;
}

/** An open connection, with the answers so far. */
interface Connection {
  line: Line;
  /** Answers with a ref of a case or of our own frames. */
  answers: Map<string, Answer>;
  /** How many errors came without a ref. */
  unreferenced: number;
  closeCode: number | null;
  isCaughtUp: boolean;
  lastSeq: number;
}

/** Sends frames on connections, and opens a new connection when one ends. */
export async function runFrames(runner: FrameRunner): Promise<void> {
  const { feed, report } = runner;
  let connection: Connection | null = null;
  let texts: TextCase[] = [];
  const flush = async (): Promise<void> => {
    if (texts.length === 0) return;
    connection = await open(runner, connection);
    await sendTexts(runner, connection, texts);
    report.done += texts.length;
    texts = [];
  };
  for (let next = feed.take('frames'); next !== null && !report.isHopeless; next = feed.take('frames')) {
    if (next.kind === 'text') {
      texts.push(next);
      if (texts.length >= BATCH) await flush();
      continue;
    }
    await flush();
    connection = await open(runner, connection);
    await sendWire(runner, connection, next);
    report.done++;
  }
  await flush();
  // The type checker cannot see that flush assigns it.
  const last: Connection | null = connection;
  if (last !== null) close(last);
}

function close({ line }: Connection): void {
  line.close();
}

/** The current connection if it is still alive, otherwise a new one on which everything that waits has arrived. */
async function open(runner: FrameRunner, current: Connection | null, tries = 1): Promise<Connection> {
  if (current !== null && current.closeCode === null && !current.line.hasEnded) return current;
  current?.line.close();
  const { port, user, self, report } = runner;
  const reader = new AnswerReader();
  const frames = new FrameReader();
  let isUpgraded = false;
  let isBusy = false;
  const state: Omit<Connection, 'line'> = {
    answers: new Map(),
    unreferenced: 0,
    closeCode: null,
    isCaughtUp: false,
    lastSeq: -1,
  };
  const line = await Line.open(port, (bytes) => {
    if (isUpgraded) {
      for (const frame of frames.push(bytes)) take(connection, frame);
      return;
    }
    const [answer] = reader.push(bytes);
    if (answer === undefined) return;
    isBusy = answer.status === 503;
    if (answer.status !== 101) throw new Error(`the upgrade of ${user} was answered ${answer.status}`);
    isUpgraded = true;
    for (const frame of frames.push(reader.rest)) take(connection, frame);
  });
  const connection: Connection = Object.assign(state, { line });
  reader.expect('GET');
  line.write(
    Buffer.from(
      `GET /v1/connect?device=fuzz HTTP/1.1\r\nHost: fuzz\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nAuthorization: Bearer ${self.token}\r\n\r\n`,
    ),
  );
  const outcome = await line.until(() => connection.isCaughtUp, BOUND_MS);
  if (isBusy && tries < MAX_TRIES) {
    report.unavailable++;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return await open(runner, null, tries + 1);
  }
  if (outcome !== true)
    report.fail(null, `${user} could not connect: ${line.fault ?? 'no caughtUp in time'}`);
  return connection;
}

/** Records a frame of the server. Throws if the server must not send it. */
function take(connection: Connection, { opcode, payload }: WireFrame): void {
  if (opcode === OPCODE.close) {
    connection.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    return;
  }
  if (opcode !== OPCODE.text) return;
  const frame: Record<string, unknown> = JSON.parse(payload.toString('utf8'));
  const { type, ref, seq, code } = frame;
  switch (type) {
    case 'welcome':
      connection.lastSeq = Number(frame['after']);
      return;
    case 'caughtUp':
      connection.isCaughtUp = true;
      return;
    case 'message':
      if (seq !== connection.lastSeq + 1) throw new Error(`seq ${String(seq)} after ${connection.lastSeq}`);
      connection.lastSeq = connection.lastSeq + 1;
      return;
    case 'error':
      if (typeof code !== 'string' || !ERROR_CODES.has(code) || typeof frame['detail'] !== 'string')
        throw new Error(`not an error frame: ${payload.toString('utf8')}`);
      if (ref === undefined) connection.unreferenced++;
      break;
    case 'ok':
    case 'pong':
      break;
    case 'receipt':
      return;
    default:
      throw new Error(`not a frame: ${payload.toString('utf8').slice(0, 200)}`);
  }
  if (typeof ref === 'string' || typeof ref === 'number')
    connection.answers.set(String(ref), { type, code: typeof code === 'string' ? code : null });
}

async function sendTexts(
  runner: FrameRunner,
  connection: Connection,
  batch: readonly TextCase[],
): Promise<void> {
  const { self, report } = runner;
  const { line, answers } = connection;
  answers.clear();
  connection.unreferenced = 0;
  const random = caseRandom(1, batch[0]?.number ?? 0);
  const texts = new Map(batch.map((asked) => [asked, asked.text(self)]));
  const sent = [...texts].map(([asked, text]) => {
    note(runner, asked, text);
    return clientFrame(random, OPCODE.text, text);
  });
  // A valid frame after the batch. It is answered at once, and before that comes every answer that needs no store.
  const sentinel = `end-${batch[0]?.number ?? 0}`;
  sent.push(clientFrame(random, OPCODE.text, `{"type":"ping","ref":"${sentinel}"}`));
  line.write(Buffer.concat(sent));
  const wanted = batch.filter(({ ref }) => ref !== null);
  const isAnswered = (): boolean =>
    connection.closeCode !== null ||
    (answers.has(sentinel) && wanted.every(({ ref }) => ref === null || answers.has(ref)));
  const outcome = await line.until(isAnswered, BOUND_MS);
  if (line.fault !== null) report.fail(batch[0] ?? null, line.fault);
  const wasClosed = connection.closeCode !== null || outcome === 'ended';
  if (wasClosed && connection.closeCode !== TOO_MANY_BAD)
    report.fail(
      batch[0] ?? null,
      `one of ${batch.length} frames closed with ${connection.closeCode ?? 'no word'}`,
    );
  for (const [asked, text] of texts) judge(runner, connection, { asked, text }, wasClosed);
  const faceless = batch.filter(({ expected, ref }) => expected !== null && ref === null).length;
  if (!wasClosed && connection.unreferenced < faceless)
    report.fail(
      batch[0] ?? null,
      `${faceless} errors without a ref expected, got ${connection.unreferenced}`,
    );
}

function judge(
  { report, ledger, user }: FrameRunner,
  { answers }: Connection,
  { asked, text }: { asked: TextCase; text: string },
  wasClosed: boolean,
): void {
  const answer = asked.ref === null ? undefined : answers.get(asked.ref);
  report.count(`frames ${answer?.code ?? answer?.type ?? 'unasked'}`);
  if (answer?.type === 'ok') confirm(ledger, user, text);
  if (answer?.code === 'unavailable') report.unavailable++;
  if (asked.expected === null || asked.ref === null) return;
  if (answer === undefined) {
    if (!wasClosed) report.fail(asked, 'no answer');
  } else if ((answer.code ?? answer.type) !== asked.expected && answer.code !== 'unavailable') {
    report.fail(asked, `answered ${answer.code ?? answer.type}, expected ${asked.expected}`);
  }
}

/** Records what a frame may do, if its effect is unknown. */
function note({ ledger, user, self }: FrameRunner, asked: TextCase, text: string): void {
  if (asked.expected !== null && asked.expected !== 'ok') return;
  const { seq, ids } = effectOf(text);
  const cursor = ledger.cursorOf(user);
  if (seq !== null) cursor.possible = Math.max(cursor.possible, seq);
  for (const id of ids) if (self.ids.includes(id)) ledger.readsOf(user).possible.add(id);
}

function confirm(ledger: Ledger, user: string, text: string): void {
  const { seq, ids } = effectOf(text);
  const cursor = ledger.cursorOf(user);
  if (seq !== null) cursor.confirmed = Math.max(cursor.confirmed, seq);
  for (const id of ids) ledger.readsOf(user).confirmed.add(id);
}

/** What a frame would do if it were valid. */
function effectOf(text: string): { seq: number | null; ids: string[] } {
  try {
    const { type, seq, ids }: Record<string, unknown> = JSON.parse(text.replace(/^\ufeff/, '')) ?? {};
    const isSeq = type === 'ack' && typeof seq === 'number' && Number.isSafeInteger(seq) && seq <= PREFILL;
    const isRead = type === 'read' && Array.isArray(ids);
    return {
      seq: isSeq ? seq : null,
      ids: isRead ? ids.filter((id) => typeof id === 'string').map((id) => id.toLowerCase()) : [],
    };
  } catch {
    return { seq: null, ids: [] }; // not JSON: it can do nothing
  }
}

async function sendWire(runner: FrameRunner, connection: Connection, asked: WireCase): Promise<void> {
  const { report } = runner;
  const { line, answers } = connection;
  const { bytes, closes, isCut } = asked;
  answers.clear();
  line.write(bytes);
  if (isCut) {
    await new Promise((resolve) => setImmediate(resolve));
    line.reset();
    await line.until(() => false, BOUND_MS);
    report.count('frames cut');
    return;
  }
  const sentinel = `end-${asked.number}`;
  if (closes === null || closes.length === 0) {
    line.write(clientFrame(caseRandom(2, asked.number), OPCODE.text, `{"type":"ping","ref":"${sentinel}"}`));
  }
  const outcome = await line.until(() => answers.has(sentinel) || connection.closeCode !== null, BOUND_MS);
  if (line.fault !== null) report.fail(asked, line.fault);
  const { closeCode } = connection;
  report.count(`frames ${closeCode ?? (outcome === true ? 'kept' : outcome)}`);
  if (closes === null) {
    if (outcome === 'late') report.fail(asked, 'neither an answer nor a close');
  } else if (closes.length === 0) {
    if (outcome !== true || closeCode !== null) report.fail(asked, `closed with ${closeCode ?? outcome}`);
  } else if (closeCode === null || !closes.includes(closeCode)) {
    report.fail(asked, `closed with ${closeCode ?? outcome}, expected ${closes.join(' or ')}`);
  }
  if (closeCode !== null) line.close();
}
