/**
 * Flags that Node gets wherever a service is started: here, in the images, in the bench. Most of what a service makes
 * lives for one message. With room for 64 MB of it (Node's own choice is 16) next to nothing of it is copied by the
 * garbage collector, which takes a tenth off the CPU of a message (docs/PERFORMANCE.md).
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
