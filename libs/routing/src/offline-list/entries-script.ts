/**
 * Reads a part of the offline list and leaves it there. The list is nearly in order, so the position of 'after' is
 * estimated from its first entry. Postgres fills what this misses.
 *
 * KEYS  1 offline list
 * ARGV  1 after (seq)   2 how many entries at most
 * Returns entries, JSON; empty if the list has nothing after 'after'
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
