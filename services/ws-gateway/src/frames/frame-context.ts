import type { TokenVerifier } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { ReadRecorder } from '../receipts/read-recorder';

/** What handling a frame needs besides its session. */
export interface FrameContext {
  tokens: TokenVerifier;
  reads: ReadRecorder;
  metrics: GatewayMetrics;
}
