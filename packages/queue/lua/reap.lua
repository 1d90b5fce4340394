-- Takes back what consumers hold whose lease has ended: into the retry lane, oldest first; into the dead letters
-- what was given back as often as allowed, with its caller told.
-- KEYS consumers, deliveries, dead, retry
-- ARGV prefix of the processing lists, most deliveries, how long an ended consumer is looked after (ms),
--      stage, most dead letters, prefix of completion keys, prefix of channels, seconds to keep a completion
-- Returns {taken back, dead}.
-- Invariant: a message leaves a processing list only for the retry lane or the dead letters.
-- Keys are made here from the consumers' ids: all names of a line lie on one Redis, or on one Cluster slot.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local returned, buried = 0, 0

local function tell(message, reason)
  local read, job = pcall(cjson.decode, message)
  if not read or type(job) ~= 'table' or type(job.job_id) ~= 'string' then
    return
  end
  local completion = { job_id = job.job_id, status = 'error', stage = ARGV[4], code = 'worker_died', message = reason }
  completion.timings = type(job.timings) == 'table' and job.timings or {}
  local key, text = ARGV[6] .. job.job_id, cjson.encode(completion)
  if not redis.call('SET', key, text, 'NX', 'EX', ARGV[8]) then
    return
  end
  follow(key, text)
  if type(job.reply_to) == 'string' then
    redis.call('PUBLISH', ARGV[7] .. job.reply_to, job.job_id)
  end
end

for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 20)) do
  local processing = ARGV[1] .. consumer
  local held = redis.call('LRANGE', processing, 0, -1)
  redis.call('DEL', processing)
  for i = #held, 1, -1 do
    local digest = redis.sha1hex(held[i])
    local deliveries = redis.call('HINCRBY', KEYS[2], digest, 1)
    if deliveries >= tonumber(ARGV[2]) then
      local reason = 'its worker died or froze ' .. deliveries .. ' times while handling it'
      local letter = { message = held[i], reason = reason, stage = ARGV[4], at = now, deliveries = deliveries }
      redis.call('LPUSH', KEYS[3], cjson.encode(letter))
      redis.call('LTRIM', KEYS[3], 0, ARGV[5] - 1)
      redis.call('HDEL', KEYS[2], digest)
      tell(held[i], reason)
      buried = buried + 1
    else
      redis.call('LPUSH', KEYS[4], held[i])
      returned = returned + 1
    end
  end
  -- A frozen consumer can still be handed a message by its pending BLMOVE: it is forgotten late.
  if tonumber(redis.call('ZSCORE', KEYS[1], consumer)) + tonumber(ARGV[3]) < now then
    redis.call('ZREM', KEYS[1], consumer)
  end
end
return { returned, buried }
