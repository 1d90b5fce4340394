-- Adds, drains or removes a replica at run time.
-- ARGV URL, `active`, `draining` or `removed`
-- Returns its state before; false if it was not known.
-- Invariant: what is removed is chosen no more; what runs there may end.
local url, state = ARGV[4], ARGV[5]
local before = redis.call('HGET', key('replicas'), url)
if state == 'removed' and redis.call('SISMEMBER', key('configured'), url) == 0 then
  redis.call('HDEL', key('replicas'), url)
  redis.call('DEL', key('replica', url))
elseif before or state == 'active' then
  redis.call('HSET', key('replicas'), url, state)
end
if state == 'active' and before ~= 'active' then
  local r = Replica.fresh(now)
  r.url = url
  write(r)
  place_is_free()
end
return before
