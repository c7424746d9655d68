/** Redis, or the node that was asked, is unreachable or too slow. The command may or may not have been executed. */
export class RedisOutageError extends Error {
  override readonly name = 'RedisOutageError';

  constructor(cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super(`Redis is unreachable: ${detail}`, { cause });
  }
}
