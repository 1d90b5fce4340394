-- Puts a message aside until it is due: it leaves the taker's list, its successor waits among the delayed.
-- KEYS processing, delayed, deliveries; ARGV message, successor, due (ms from now, by Redis's clock)
-- Returns 1; 0 if the message was not held here.
-- Invariant: a successor waits only if its message was still held here.
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3], ARGV[2])
redis.call('HDEL', KEYS[3], redis.sha1hex(ARGV[1]))
return 1
