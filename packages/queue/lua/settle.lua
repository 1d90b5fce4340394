-- Hands messages on: each leaves the taker's list and its successor enters the next queue, in its tenant's turn.
-- KEYS processing, next queue, deliveries, queue
-- ARGV message, successor, tenant, weight (as of `push` in lanes.lua), message ...
-- Returns how many took effect.
-- Invariant: a successor enters only if its message was still held here, so whoever lost it can do no harm.
local settled = 0
local counted = redis.call('EXISTS', KEYS[3]) == 1
for i = 1, #ARGV, 4 do
  if redis.call('LREM', KEYS[1], -1, ARGV[i]) == 1 then
    push(KEYS[2], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    if counted then
      redis.call('HDEL', KEYS[3], redis.sha1hex(ARGV[i]))
    end
    settled = settled + 1
  end
end
if settled > 0 then
  keep_pace(KEYS[4], settled)
end
return settled
