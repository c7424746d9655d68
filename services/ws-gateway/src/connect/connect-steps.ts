import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ClaimedDevice, type InboxDatabase, OutageError, OverloadedError } from '@posthorn/inbox';
import { type Holders, type Notifier, RedisOutageError } from '@posthorn/routing';
import {
  type AllowedOrigins,
  type Identity,
  type Logger,
  problem,
  problemOfToken,
  type TokenVerifier,
} from '@posthorn/runtime';
import type { LateAcks } from '../acknowledge/late-acks';
import type { Reconciler } from '../arrivals/reconciler';
import type { ConnectionTable } from '../holding/connection-table';
import type { DeviceReleaser } from '../holding/device-releaser';
import { type PresenceKeeper, total } from '../holding/presence-keeper';
import { Session, type SessionHost, type SessionStart } from '../session/session';
import type { Transport } from '../session/transport';
import { type ConnectQuery, checkHandshake, connectQuery, tokenOf } from './connect-request';
import type { DeviceClaimer } from './device-claimer';
import { rankConnections } from './surplus';

/** What the connect steps need. */
export interface ConnectContext {
  gateway: string;
  db: InboxDatabase;
  claims: DeviceClaimer;
  notifier: Notifier;
  presence: PresenceKeeper;
  table: ConnectionTable;
  host: SessionHost;
  tokens: TokenVerifier;
  allowedOrigins: AllowedOrigins;
  maxConnectionsPerUser: number;
  log: Logger;
  now: () => number;
  isStopping: () => boolean;
  releaser: DeviceReleaser;
  lateAcks: LateAcks;
  reconciler: Reconciler;
  /** Answers the upgrade with 101 and ties the socket to the session. */
  openSocket: (connect: Connect, session: Session) => Transport;
}

/** One upgrade request that becomes a session. Each step adds what it found. */
export interface Connect {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** True once the peer is gone or the upgrade was refused. No further step may run. */
  isOver: boolean;
  query?: ConnectQuery;
  identity?: Identity;
  session?: Session;
  /** The live gateways that hold the user, each with its number of connections; null while Redis is unreachable. */
  holders?: Holders | null;
  claimed?: ClaimedDevice;
}

/**
 * The steps from an upgrade request to an open session. Their order makes them correct: presence is announced before
 * the inbox is read. So messages that were committed before are read, and messages that are committed later are
 * published to this gateway. A step refuses with a Problem, which becomes an HTTP answer. That works because only the
 * last step opens the socket.
 */
export const connectSteps = [
  refuseWhileStopping,
  readRequest,
  checkOrigin,
  authenticate,
  readQuery,
  announcePresence,
  claimDevice,
  checkLimit,
  open,
] as const satisfies readonly ((connect: Connect, context: ConnectContext) => void | Promise<void>)[];

function refuseWhileStopping(_connect: Connect, { isStopping }: ConnectContext): void {
  if (isStopping()) throw problem('draining');
}

function readRequest({ request }: Connect): void {
  checkHandshake(request);
}

/** Browsers always send `Origin`, so a request without it does not come from a browser. */
function checkOrigin({ request }: Connect, { allowedOrigins }: ConnectContext): void {
  const { origin } = request.headers;
  if (origin === undefined || allowedOrigins === '*' || allowedOrigins.includes(origin)) return;
  throw problem('forbidden_origin');
}

async function authenticate(connect: Connect, { tokens }: ConnectContext): Promise<void> {
  const token = tokenOf(connect.request);
  if (token === null) throw problemOfToken(null);
  try {
    connect.identity = await tokens.verify(token);
  } catch (error) {
    throw problemOfToken(error);
  }
}

function readQuery(connect: Connect): void {
  connect.query = connectQuery(connect.request);
}

/** Creates the session. From here on, entries that are published to this gateway wait in it. */
async function announcePresence(connect: Connect, context: ConnectContext): Promise<void> {
  const { identity, query } = connect;
  if (identity === undefined || query === undefined) throw new Error('announced before it was read');
  refuseWhileStopping(connect, context);
  const { user } = identity;
  const { device, isAutoAck } = query;
  const session = new Session(
    { user, device, isAutoAck, tokenExpiresAtMs: identity.expiresAtMs },
    context.host,
    context.now(),
  );
  connect.session = session;
  context.table.add(session);
  connect.holders = await context.presence.announce(user);
}

/**
 * Claims the device. First it writes what earlier connections of the device left unwritten on this gateway: after the
 * claim their fencing token would be too old.
 */
async function claimDevice(connect: Connect, context: ConnectContext): Promise<void> {
  const { session } = connect;
  if (session === undefined) throw new Error('claimed before it was announced');
  const { claims, gateway, lateAcks, releaser } = context;
  const { user, device } = session;
  await Promise.all([lateAcks.settle(user, device), releaser.settle(user, device)]);
  const claim = { user, device, gateway, holders: holdersOf(connect, context) };
  connect.claimed = await claims.claim({ claim, connect }).catch(refuseOutage);
}

/** The gateways where the device may already be connected; null if Redis could not say which gateways are live. */
function holdersOf({ session, holders }: Connect, { table, gateway }: ConnectContext): string[] | null {
  if (session === undefined || holders === undefined || holders === null) return null;
  const elsewhere = [...holders.keys()].filter((id) => id !== gateway);
  // For this gateway ask the table: presence already counts the new session.
  const isHere = table.ofDevice(session.user, session.device).length > 1;
  return isHere ? [...elsewhere, gateway] : elsewhere;
}

/**
 * Refuses the connect with 429 if the user has too many connections. Postgres ranks them by the time of their claims,
 * so connects that race for the last place all get the same ranking. A device that takes over does not count as one
 * more.
 */
async function checkLimit(connect: Connect, context: ConnectContext): Promise<void> {
  const { session, holders } = connect;
  const { table, gateway, maxConnectionsPerUser } = context;
  if (session === undefined || holders === undefined) throw new Error('counted before it was announced');
  // Without Redis only the connections of this gateway are known. When Redis is back, the surplus is ended.
  const known: Holders = holders ?? new Map();
  const elsewhere = total(known) - (known.get(gateway) ?? 0);
  if (elsewhere + table.count(session.user) <= maxConnectionsPerUser) return;
  const ranked = await rankConnections(session.user, known.keys(), context).catch(refuseOutage);
  const admitted = ranked.slice(0, maxConnectionsPerUser);
  if (!admitted.some(({ device }) => device === session.device)) {
    throw problem('too_many_connections', {
      detail: `A user may have at most ${maxConnectionsPerUser} connections.`,
    });
  }
}

function refuseOutage(error: unknown): never {
  if (error instanceof OutageError) throw problem('unavailable', { cause: error });
  if (error instanceof OverloadedError) throw problem('overloaded', { cause: error });
  throw error;
}

function open(connect: Connect, { openSocket, isStopping }: ConnectContext): void {
  const { session, query, claimed } = connect;
  if (session === undefined || query === undefined || claimed === undefined)
    throw new Error('opened unclaimed');
  // The session ended during the claim: an operator disconnected it, or the gateway stops.
  if (session.state === 'closed') throw problem(isStopping() ? 'draining' : 'unavailable');
  const transport = openSocket(connect, session);
  session.open(transport, startOf(query, claimed));
}

/** Starts at `after` if it is in the current epoch and within the inbox, otherwise at the cursor (PROTOCOL §5.1). */
function startOf(query: ConnectQuery, claimed: ClaimedDevice): SessionStart {
  const { cursor, fence, epoch, newestSeq } = claimed;
  const isOtherEpoch = query.epoch !== null && query.epoch !== epoch;
  const isReset = query.after !== null && (isOtherEpoch || query.after > newestSeq);
  const after = query.after === null || isReset ? cursor : query.after;
  return { after, cursor, newestSeq, fence, epoch, isReset };
}

/** Ends older connections of the device, here and on the previous gateway. The newest one lives on. */
export async function settleTakeover({ session, claimed }: Connect, context: ConnectContext): Promise<void> {
  if (session === undefined || claimed === undefined) throw new Error('settled before it was claimed');
  const { user, device } = session;
  const { previousGateway, fence, epoch } = claimed;
  const here = context.table.ofDevice(user, device);
  const ofEpoch = here.filter((other) => other.epoch === epoch);
  const newest = Math.max(fence, ...ofEpoch.map((other) => other.fence ?? 0));
  for (const other of here) other.takeOver(newest, epoch);
  // Fencing tokens of different epochs cannot be compared. Reconcile finds out which epoch is over.
  if (here.some((other) => other.epoch !== null && other.epoch !== epoch)) context.reconciler.run();
  if (previousGateway === null || previousGateway === context.gateway) return;
  try {
    await context.notifier.publishTakeover(previousGateway, { user, device, fence, epoch });
  } catch (error) {
    // The other gateway finds the newer fencing token at its next reconcile.
    if (!(error instanceof RedisOutageError)) throw error;
  }
}
