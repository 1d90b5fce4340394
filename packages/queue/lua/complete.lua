-- Ends jobs: each message leaves the taker's list, its completion is kept for a while, its waiter is woken.
-- KEYS processing, deliveries, completion key, completion key ...
-- ARGV seconds to keep, then for each completion key: message, completion, channel, job id
-- Returns how many took effect.
-- Invariant: a job is completed only if its message was still held here: at most once.
local completed = 0
local counted = redis.call('EXISTS', KEYS[2]) == 1
for k = 3, #KEYS do
  local i = 4 * k - 10
  if redis.call('LREM', KEYS[1], -1, ARGV[i]) == 1 then
    redis.call('SET', KEYS[k], ARGV[i + 1], 'EX', ARGV[1])
    redis.call('PUBLISH', ARGV[i + 2], ARGV[i + 3])
    if counted then
      redis.call('HDEL', KEYS[2], redis.sha1hex(ARGV[i]))
    end
    completed = completed + 1
  end
end
return completed
