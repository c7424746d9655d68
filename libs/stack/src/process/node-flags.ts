/**
 * Node flags for every start of a service: here, in the images, in the bench. Most objects of a service live only for
 * one message. With 64 MB of room for them (Node's default is 16) the garbage collector copies almost none, which
 * saves a tenth of the CPU of a message (docs/PERFORMANCE.md).
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
