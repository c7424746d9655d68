import {
  DEVICE_ID_RULE,
  escapePointer,
  isDeviceId,
  isJsonObject,
  isUserId,
  USER_ID_RULE,
} from '@posthorn/protocol';
import { RedisOutageError } from '@posthorn/routing';
import { type AdminRoute, type FieldError, problem } from '@posthorn/runtime';

/**
 * `POST /disconnect` with `{"user", "device"?}` on the admin port. Closes those connections with 4503 on every gateway,
 * and answers 202 (PROTOCOL §2.4).
 *
 * @param disconnect sends the notice to all gateways; throws RedisOutageError
 */
export function disconnectRoute(disconnect: (user: string, device?: string) => Promise<void>): AdminRoute {
  return {
    method: 'POST',
    path: '/disconnect',
    handle: async ({ body }) => {
      const { user, device } = targetFrom(body);
      try {
        await disconnect(user, device);
      } catch (error) {
        if (!(error instanceof RedisOutageError)) throw error;
        throw problem('unavailable', {
          detail: 'Redis is unreachable. Some connections may still be open. Try again.',
          cause: error,
        });
      }
      return { status: 202 };
    },
  };
}

/** @throws Problem invalid_message */
function targetFrom(body: unknown): { user: string; device?: string } {
  if (!isJsonObject(body)) throw invalid([{ pointer: '', detail: 'must be a JSON object' }]);
  const { user, device, ...others } = body;
  const faults: FieldError[] = Object.keys(others).map((name) => ({
    pointer: `/${escapePointer(name.slice(0, 64))}`,
    detail: 'is not a known field',
  }));
  if (device !== undefined && !isDeviceId(device)) {
    faults.push({ pointer: '/device', detail: `must be a device name: ${DEVICE_ID_RULE}` });
  }
  if (!isUserId(user)) {
    throw invalid([...faults, { pointer: '/user', detail: `must be a user id: ${USER_ID_RULE}` }]);
  }
  if (faults.length > 0) throw invalid(faults);
  return isDeviceId(device) ? { user, device } : { user };
}

function invalid(errors: readonly FieldError[]): Error {
  return problem('invalid_message', { errors });
}
