/**
 * How a device acknowledges: soon after each message, after a while, after every tenth message (and after a pause),
 * with some acknowledgements lost, or automatically (`ack=auto`).
 */
export type AckHabit = 'at once' | 'delayed' | 'every tenth' | 'lossy' | 'auto';

/** The habits of devices that acknowledge themselves. */
export const MANUAL_HABITS: readonly AckHabit[] = ['at once', 'delayed', 'every tenth', 'lossy'];
