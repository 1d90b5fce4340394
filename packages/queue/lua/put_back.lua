-- Puts all that a consumer holds back into its queue, in the old order and before what came later, and ends its lease.
-- No delivery is charged.
-- KEYS processing, queue, consumers; ARGV consumer
-- Returns how many were put back.
-- Invariant: the oldest held message is the next to be taken.
local held = redis.call('LRANGE', KEYS[1], 0, -1)
for _, message in ipairs(held) do
  redis.call('RPUSH', KEYS[2], message)
end
redis.call('DEL', KEYS[1])
-- Ended, not forgotten: what a late reply still hands to this consumer is taken back by the others.
local time = redis.call('TIME')
redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return #held
