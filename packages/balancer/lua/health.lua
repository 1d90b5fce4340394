-- A replica was asked whether it is well, and is not: that counts as failed calls. That it is well proves nothing
-- of its answers, and changes nothing: only a call closes a breaker.
-- ARGV URL, latency (ms)
-- Returns {breaker before, breaker after}.
local url, latency = ARGV[4], tonumber(ARGV[5])
local r = read({ url })[1]
r.running = 0
local before = r.breaker
if before ~= 'closed' and Replica.admits(r, now) == 'probe' then
  Replica.probed_by(r, 'health', now)
end
Replica.unwell(r, now, latency, math.random(), s)
if redis.call('HEXISTS', key('replicas'), url) == 1 then
  write(r)
end
return { before, r.breaker }
