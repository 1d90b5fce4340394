-- Counts tokens against a key's day (UTC).
-- KEYS use (hash: level, at, day, tokens); ARGV tokens
-- Returns what the day has come to.
local day = math.floor(redis.call('TIME')[1] / 86400)
if tonumber(redis.call('HGET', KEYS[1], 'day')) ~= day then
  redis.call('HSET', KEYS[1], 'day', day, 'tokens', 0)
end
redis.call('EXPIRE', KEYS[1], 172800)
return redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[1])
