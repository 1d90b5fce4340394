-- Moves up to n messages from a queue to the taker's own list.
-- KEYS queue, processing; ARGV n
-- Returns the messages, oldest first.
-- Invariant: a message is in the queue or in exactly one processing list, never in neither.
local taken = redis.call('RPOP', KEYS[1], ARGV[1])
if not taken then
  return {}
end
redis.call('LPUSH', KEYS[2], unpack(taken))
return taken
