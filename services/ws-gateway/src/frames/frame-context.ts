import type { TokenVerifier } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import type { ReadRecorder } from '../receipts/read-recorder';

/** What the handlers of frames need, besides the session. */
export interface FrameContext {
  tokens: TokenVerifier;
  reads: ReadRecorder;
  metrics: GatewayMetrics;
}
