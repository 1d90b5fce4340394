-- How fast a queue's consumers are while there is something to do: put before the scripts that end their work on messages.
--   Q:pace   hash: `n` messages were done in `ms`; `at`, when the last was, if something waited then
-- Counted is the time between two ends at both of which something waited: all that consumers can do, whatever they are
-- given. Old ones fade, with the last 64 messages or the last ten seconds, whichever is more; all are forgotten after a
-- minute without a backlog.
local function keep_pace(queue, done)
  local pace = queue .. ':pace'
  if redis.call('EXISTS', queue) == 0 then
    redis.call('HDEL', pace, 'at')
    return
  end
  -- What was dropped as expired or cancelled took no time: the next that is done counts for it.
  if done == 0 then
    return
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local at, n, ms = unpack(redis.call('HMGET', pace, 'at', 'n', 'ms'))
  if at then
    local took = math.max(0, now - at)
    local kept = math.max(0, 1 - math.min(done / 64, took / 10000))
    redis.call('HSET', pace, 'at', now, 'n', (n or 0) * kept + done, 'ms', (ms or 0) * kept + took)
  else
    redis.call('HSET', pace, 'at', now)
  end
  redis.call('PEXPIRE', pace, 60000)
end
