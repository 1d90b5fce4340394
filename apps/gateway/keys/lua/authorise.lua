-- Knows an API key, and takes one request from its bucket.
-- KEYS key (hash by the digest of its secret), use (hash: level, at, day, tokens)
-- Returns {'unknown'} of a key that is none, or was revoked;
--   {'allowed' | 'requests' | 'tokens', tenant, priority, requests per minute, requests left, s until all are back,
--    s until there is what was refused}.
-- Invariant: in any minute a key is allowed twice its requests at most, and its rate in the long run, over all gateways;
--   a refused request takes nothing.
local tenant, priority, per_minute, per_day =
  unpack(redis.call('HMGET', KEYS[1], 'tenant', 'priority', 'requests_per_minute', 'tokens_per_day'))
if not tenant then
  return { 'unknown' }
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local day = math.floor(time[1] / 86400)
per_minute = tonumber(per_minute)
local level, at, counted, tokens = unpack(redis.call('HMGET', KEYS[2], 'level', 'at', 'day', 'tokens'))
level = level and math.min(per_minute, level + math.max(0, now - at) * per_minute / 60) or per_minute
local spent = tonumber(counted) == day and tonumber(tokens) or 0

local kind, wait = 'allowed', 0
if spent >= tonumber(per_day) then
  kind, wait = 'tokens', (day + 1) * 86400 - now
elseif level < 1 then
  kind, wait = 'requests', (1 - level) * 60 / per_minute
else
  level = level - 1
  redis.call('HSET', KEYS[2], 'level', tostring(level), 'at', tostring(now))
  redis.call('EXPIRE', KEYS[2], 172800)
end
return {
  kind, tenant, priority, per_minute, math.floor(level),
  math.ceil((per_minute - level) * 60 / per_minute), math.max(1, math.ceil(wait)),
}
