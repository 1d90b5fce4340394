-- Makes the replicas that the configuration names known, and forgets those that it no longer names.
-- ARGV URLs ...
-- Returns how many replicas are active.
-- Invariant: what was added, drained or removed at run time stays so.
local configured = key('configured')
local named = {}
for i = 4, #ARGV do
  named[ARGV[i]] = true
  if redis.call('HSETNX', key('replicas'), ARGV[i], 'active') == 1 then
    local r = Replica.fresh(now - s.slow_start_ms)
    r.url = ARGV[i]
    write(r)
  end
  redis.call('SADD', configured, ARGV[i])
end
for _, url in ipairs(redis.call('SMEMBERS', configured)) do
  if not named[url] then
    redis.call('SREM', configured, url)
    redis.call('HDEL', key('replicas'), url)
    redis.call('DEL', key('replica', url))
  end
end
return #urls('active')
