/**
 * Finds the gateways that hold the user, or appends to the offline list. It is one atomic step, so that no entry is
 * lost between a connect and a send.
 *
 * KEYS  1 presence hash   2 offline list
 * ARGV  1 ids of gateways known to live, each between spaces   2 ids that do not count, likewise
 *       3 ids gone for so long that their fields are removed, likewise
 *       4 cap of the list   5 life of the list, seconds   6… entries, JSON, oldest first
 * Returns {'live', id…}     live gateways hold the user: publish to them; the list is untouched
 *         {'unknown', id…}  the hash names gateways in none of the three: read their leases and run again
 *         {'listed'}        nobody holds the user: the entries were appended
 * If it runs twice, it appends twice. Readers drop duplicates by seq.
 */
export const ROUTE_SCRIPT = `
local live, unknown = {'live'}, {'unknown'}
local ids = redis.pcall('HKEYS', KEYS[1])
if ids.err then ids = {} end -- a key of another type: nobody holds the user
for _, id in ipairs(ids) do
  local word = ' ' .. id .. ' '
  if string.find(ARGV[1], word, 1, true) then
    live[#live + 1] = id
  elseif string.find(ARGV[3], word, 1, true) then
    redis.call('HDEL', KEYS[1], id)
  elseif not string.find(ARGV[2], word, 1, true) then
    unknown[#unknown + 1] = id
  end
end
if #unknown > 1 then return unknown end
if #live > 1 then return live end
for i = 6, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[4]), -1)
redis.call('EXPIRE', KEYS[2], ARGV[5])
return {'listed'}
`;
