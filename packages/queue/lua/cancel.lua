-- Ends a job that is accepted and not done, as cancelled or expired: whoever waits for it is told at once, and every consumer hears of it.
-- KEYS accepted, completion, cancelled; ARGV job id, completion, prefix of channels, tenant in whose name ('' for any),
--      tenant of jobs that name none
-- Returns {'cancelled'}, {'done', completion} of a job that is done already, or {'unknown'}, as is another tenant's.
-- Invariant: a job is answered or cancelled, never both: the first completion stands.
local record = redis.call('GET', KEYS[1])
local job = record and cjson.decode(record)
if ARGV[4] ~= '' and ARGV[4] ~= (job and job.tenant or ARGV[5]) then
  return { 'unknown' }
end
local done = redis.call('GET', KEYS[2])
if done then
  return { 'done', done }
end
if not job then
  return { 'unknown' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Past its deadline a job is dropped anyway; a minute more for clocks that differ.
local needed_until = job.deadline + 60000
-- As many at most as keep the script short: over time, more leave than come.
for _, old in ipairs(redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 4)) do
  if tonumber(old[2][4]) > now then
    break
  end
  redis.call('XDEL', KEYS[3], old[1])
end
redis.call('XADD', KEYS[3], '*', 'job_id', ARGV[1], 'until', needed_until)
local lives = math.max(redis.call('PTTL', KEYS[3]), needed_until - now, 1)
redis.call('PEXPIRE', KEYS[3], lives)
redis.call('SET', KEYS[2], ARGV[2], 'PX', redis.call('PTTL', KEYS[1]))
follow(KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3] .. job.reply_to, ARGV[1])
return { 'cancelled' }
