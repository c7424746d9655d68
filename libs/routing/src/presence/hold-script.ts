/**
 * Sets how many connections of a user a gateway holds. The count is a total, so running this twice is harmless.
 *
 * KEYS  1 presence hash
 * ARGV  1 gateway id   2 number of connections   3 life of the hash, seconds
 * Returns the whole hash after the change, flat: id, count, id, count …
 */
export const HOLD_SCRIPT = `
if tonumber(ARGV[2]) > 0 then
  local set = redis.pcall('HSET', KEYS[1], ARGV[1], ARGV[2])
  if type(set) == 'table' and set.err then
    -- A key of another type is not ours. Nothing else would ever remove it.
    if not string.find(set.err, 'WRONGTYPE', 1, true) then return set end
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  end
  redis.call('EXPIRE', KEYS[1], ARGV[3])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
local flat = redis.call('HKEYS', KEYS[1])
local result = {}
for _, id in ipairs(flat) do
  result[#result + 1] = id
  result[#result + 1] = redis.call('HGET', KEYS[1], id)
end
return result
`;
