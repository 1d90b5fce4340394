-- Forgets leases that have ended and tells the counts.
-- KEYS load, inflight of each replica in turn
-- Returns the load of each replica.
-- Invariant: `load` is the number of unexpired leases in `inflight`.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local loads = {}
for i = 1, #KEYS, 2 do
  local ended = redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now)
  local count = redis.call('ZCARD', KEYS[i + 1])
  if count == 0 then
    redis.call('DEL', KEYS[i])
  elseif ended > 0 then
    redis.call('SET', KEYS[i], count, 'KEEPTTL')
  end
  loads[#loads + 1] = count
end
return loads
