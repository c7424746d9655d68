/**
 * How a device acknowledges: soon after each message, after a while, after every tenth (and after a pause), with some
 * acknowledgements lost on their way, or by being written to (`ack=auto`).
 */
export type AckHabit = 'at once' | 'delayed' | 'every tenth' | 'lossy' | 'auto';

/** Habits of devices whose acknowledgements count. */
export const MANUAL_HABITS: readonly AckHabit[] = ['at once', 'delayed', 'every tenth', 'lossy'];
