/**
 * A part of the offline list, without taking it out. The list is nearly in order, so where it holds 'after'
 * follows from its first entry; what this misses is a hole that Postgres fills.
 *
 * KEYS  1 offline list
 * ARGV  1 after (seq)   2 how many entries at most
 * Returns entries, JSON; empty where the list has nothing beyond 'after'
 */
export const ENTRIES_SCRIPT = `
local head = redis.call('LINDEX', KEYS[1], 0)
if not head then return {} end
local ok, entry = pcall(cjson.decode, head)
if not ok or type(entry) ~= 'table' or type(entry.seq) ~= 'number' then
  return redis.call('LRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)
end
local from = math.max(0, tonumber(ARGV[1]) + 1 - entry.seq)
return redis.call('LRANGE', KEYS[1], from, from + tonumber(ARGV[2]) - 1)
`;
