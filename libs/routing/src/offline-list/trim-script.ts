/**
 * Trims the offline list to the entries that a device may still need. Drops entries up to 'through', those of another
 * epoch, and anything that is not an entry.
 *
 * KEYS  1 offline list
 * ARGV  1 through (seq)   2 epoch
 * Returns how many entries were dropped
 */
export const TRIM_SCRIPT = `
local through = tonumber(ARGV[1])
local entries = redis.call('LRANGE', KEYS[1], 0, -1)
local dropped, leading = 0, true
local stragglers = {}
for i, json in ipairs(entries) do
  local ok, entry = pcall(cjson.decode, json)
  local keep = ok and type(entry) == 'table' and type(entry.seq) == 'number'
    and entry.seq > through and entry.epoch == ARGV[2]
  if keep then
    leading = false
  else
    dropped = dropped + 1
    if not leading then stragglers[#stragglers + 1] = json end
  end
end
redis.call('LTRIM', KEYS[1], dropped - #stragglers, -1)
for _, json in ipairs(stragglers) do redis.call('LREM', KEYS[1], 1, json) end
return dropped
`;
