-- Hands messages on: each leaves the taker's list and its successor enters the next queue.
-- KEYS processing, next queue, deliveries; ARGV message, successor, message, successor ...
-- Returns how many took effect.
-- Invariant: a successor enters only if its message was still held here, so whoever lost it can do no harm.
local settled = 0
local counted = redis.call('EXISTS', KEYS[3]) == 1
for i = 1, #ARGV, 2 do
  if redis.call('LREM', KEYS[1], -1, ARGV[i]) == 1 then
    redis.call('LPUSH', KEYS[2], ARGV[i + 1])
    if counted then
      redis.call('HDEL', KEYS[3], redis.sha1hex(ARGV[i]))
    end
    settled = settled + 1
  end
end
return settled
