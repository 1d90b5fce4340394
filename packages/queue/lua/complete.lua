-- Ends jobs: each message leaves the taker's list, its completion is kept for a while, its waiter is woken.
-- KEYS processing, deliveries, queue, completion key, completion key ...
-- ARGV seconds to keep, how many of them were worked on, then for each completion key: message, completion, channel, job id
-- Returns how many took effect.
-- Invariant: a job is completed only if its message was still held here, and the first completion stands: one that was
--   cancelled meanwhile stays so.
local completed = 0
local counted = redis.call('EXISTS', KEYS[2]) == 1
for k = 4, #KEYS do
  local i = 4 * k - 13
  if redis.call('LREM', KEYS[1], -1, ARGV[i]) == 1 then
    if redis.call('SET', KEYS[k], ARGV[i + 1], 'NX', 'EX', ARGV[1]) then
      redis.call('PUBLISH', ARGV[i + 2], ARGV[i + 3])
      follow(KEYS[k], ARGV[i + 1])
    end
    if counted then
      redis.call('HDEL', KEYS[2], redis.sha1hex(ARGV[i]))
    end
    completed = completed + 1
  end
end
if completed > 0 then
  -- By ten seconds, for as long as admit.lua reads them.
  local left = KEYS[3] .. ':left:' .. math.floor(redis.call('TIME')[1] / 10)
  if redis.call('INCRBY', left, completed) == completed then
    redis.call('EXPIRE', left, 30)
  end
  keep_pace(KEYS[3], math.min(completed, tonumber(ARGV[2])))
end
return completed
