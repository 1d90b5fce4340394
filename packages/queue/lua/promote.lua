-- Puts delayed messages that are due back into their queue, to be taken next: they have waited.
-- KEYS delayed, queue
-- Returns how many.
-- Invariant: a message is among the delayed or in the queue, never in both or none.
local time = redis.call('TIME')
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000), 'LIMIT', 0, 100)
for i = #due, 1, -1 do
  redis.call('ZREM', KEYS[1], due[i])
  redis.call('RPUSH', KEYS[2], due[i])
end
-- A consumer that was handed the last of the queue may have died before it looked into the lanes.
if redis.call('EXISTS', KEYS[2]) == 0 then
  stage(KEYS[2], 'LEFT')
end
return #due
