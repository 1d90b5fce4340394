-- Counts a job back, wherever it is counted, and forgets leases that have ended.
-- KEYS load, inflight of each replica in turn; ARGV job id (may be empty: then it only refreshes the counts)
-- Returns the load of each replica.
-- Invariant: `load` is the number of unexpired leases in `inflight`; releasing twice is releasing once.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local loads = {}
for i = 1, #KEYS, 2 do
  local load, inflight = KEYS[i], KEYS[i + 1]
  redis.call('ZREMRANGEBYSCORE', inflight, '-inf', now)
  redis.call('ZREM', inflight, ARGV[1])
  local count = redis.call('ZCARD', inflight)
  if count > 0 then
    redis.call('SET', load, count, 'KEEPTTL')
  else
    redis.call('DEL', load)
  end
  loads[#loads + 1] = count
end
return loads
