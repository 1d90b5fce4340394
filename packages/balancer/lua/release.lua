-- Counts a job back, wherever it is counted.
-- KEYS load, inflight of each replica in turn; ARGV job id
-- Returns how many replicas it was counted on: 1, or 0 if it was counted back before.
-- Invariant: `load` is the number of leases in `inflight`; releasing twice is releasing once.
local released = 0
for i = 1, #KEYS, 2 do
  if redis.call('ZREM', KEYS[i + 1], ARGV[1]) == 1 then
    local count = redis.call('ZCARD', KEYS[i + 1])
    if count > 0 then
      redis.call('SET', KEYS[i], count, 'KEEPTTL')
    else
      redis.call('DEL', KEYS[i])
    end
    released = released + 1
  end
end
return released
