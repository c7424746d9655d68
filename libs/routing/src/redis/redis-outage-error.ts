/** Redis, or the part of it that was asked, is out of reach or too slow; what was asked may or may not have happened. */
export class RedisOutageError extends Error {
  override readonly name = 'RedisOutageError';

  constructor(cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super(`Redis is out of reach: ${detail}`, { cause });
  }
}
