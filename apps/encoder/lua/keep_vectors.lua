-- Keeps vectors, and lets go of those that are too many or too old, the ones kept first first.
-- KEYS vectors (hash: digest to bytes), kept (sorted set: digest by when it was kept, epoch ms)
-- ARGV most vectors, seconds that one is kept, then digest, vector ...
-- Returns how many there are.
-- Invariant: a digest is in both keys or in neither, and there are never more than `most`.
-- Of one size each, so a count bounds the memory. Reads do not renew a vector: that would make every read a
-- write; memory in front of this keeps what is asked often.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], now, ARGV[i])
end
local excess = redis.call('ZCARD', KEYS[2]) - ARGV[1]
local drop = {}
if excess > 0 then
  drop = redis.call('ZRANGE', KEYS[2], 0, excess - 1)
else
  -- A hundred at a time, that no call takes long: each brings fewer than that.
  drop = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[2] * 1000, 'LIMIT', 0, 100)
end
for _, digest in ipairs(drop) do
  redis.call('HDEL', KEYS[1], digest)
  redis.call('ZREM', KEYS[2], digest)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return redis.call('HLEN', KEYS[1])
