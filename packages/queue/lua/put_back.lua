-- Puts all that a consumer holds back into its queue, in the old order and before what came later.
-- KEYS processing, queue
-- Returns how many were put back.
-- Invariant: the oldest held message is the next to be taken.
local held = redis.call('LRANGE', KEYS[1], 0, -1)
for _, message in ipairs(held) do
  redis.call('RPUSH', KEYS[2], message)
end
redis.call('DEL', KEYS[1])
return #held
