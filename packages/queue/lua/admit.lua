-- Accepts a job, once, while the line has room and is fast enough for its deadline.
-- KEYS first queue, seen (what makes two pushes the same one), accepted (the job's own; without a key of its client it
--      is `seen` too), further queues of the line ...
-- ARGV message, record of the job (JSON with job_id and deadline), how long the record lives (ms), most jobs waiting,
--      prefix of completion keys, tenant, weight (as of `push` in lanes.lua), how long those before it may take (ms; ''
--      for as long as they like),
--      [key of a hash that is written with the push, how long it lives (ms), key of a sorted set or '', a member for it,
--      field, value ...]
-- Returns {'admitted', depth}, {'full', depth, how many jobs left the line in the last ten seconds},
--   {'overloaded', depth, in how many ms those before it would take no longer than they may}, or
--   {'seen', record} of the job that was accepted before.
-- Keys in ARGV: all names of a line lie on one Redis, or on one Cluster slot.
-- Invariant: for one `seen` key at most one job is on the line or completed.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = redis.call('GET', KEYS[2])
if record then
  local job = cjson.decode(record)
  -- Past its deadline and with no completion left, it is as if it had never been.
  if now < job.deadline or redis.call('EXISTS', ARGV[5] .. job.job_id) == 1 then
    return { 'seen', record }
  end
end
local queues = { KEYS[1], unpack(KEYS, 4) }
local depth, lanes = 0, {}
for _, queue in ipairs(queues) do
  depth = depth + waiting(queue, lanes)
end
if depth >= tonumber(ARGV[4]) then
  -- complete.lua counts by ten seconds: the share of the last count that a window of ten seconds still covers is added.
  local tens = math.floor(time[1] / 10)
  local covered = 1 - (now / 10000 - tens)
  local left = 0
  for _, queue in ipairs(queues) do
    local before, current = unpack(redis.call('MGET', queue .. ':left:' .. tens - 1, queue .. ':left:' .. tens))
    left = left + covered * (tonumber(before) or 0) + (tonumber(current) or 0)
  end
  return { 'full', depth, tostring(left) }
end
if ARGV[8] ~= '' and depth > 0 then
  local over = expected_wait(queues, depth, lanes, ARGV[6], tonumber(ARGV[7])) - ARGV[8]
  if over > 0 then
    return { 'overloaded', depth, tostring(over) }
  end
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
if KEYS[3] ~= KEYS[2] then
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
end
push(KEYS[1], ARGV[1], ARGV[6], ARGV[7])
if ARGV[9] then
  redis.call('DEL', ARGV[9])
  redis.call('HSET', ARGV[9], unpack(ARGV, 13))
  redis.call('PEXPIRE', ARGV[9], ARGV[10])
  if ARGV[11] ~= '' then
    redis.call('ZADD', ARGV[11], 0, ARGV[12])
  end
end
return { 'admitted', depth + 1 }
