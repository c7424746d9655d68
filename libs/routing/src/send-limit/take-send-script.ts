/**
 * Takes one send from a user's bucket: a sustained rate with a burst. The bucket is one number, the theoretical arrival
 * time (GCRA). It uses the clock of Redis, so that all processes share one.
 *
 * KEYS  1 the user's bucket
 * ARGV  1 microseconds per send at the sustained rate   2 burst, in sends
 * Returns {1, sends left, 0}                             the send was taken
 *         {0, 0, microseconds until a send is allowed}   it was not
 */
export const TAKE_SEND_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step = tonumber(ARGV[1])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now) + step
local free = now + step * tonumber(ARGV[2]) - arrival
if free < 0 then return {0, 0, -free} end
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
return {1, math.floor(free / step), 0}
`;
