-- Takes the turn on a document, or keeps it: one job at a time works on a document, and only its newest one.
-- KEYS turn, document's hash; ARGV job, how long the turn is kept (ms), whether the job must be the newest (1 or 0),
--      [key of the progress, its text]
-- Returns 'yours'; 'taken' while another job has it; 'superseded' where a newer upload or a deletion was accepted.
-- Invariant: of all jobs that must be the newest, only the newest ever gets or keeps the turn.
-- A job that comes again after its worker died finds its own turn, and need not wait for it to end.
if ARGV[3] == '1' then
  local newest = redis.call('HGET', KEYS[2], 'job_id')
  if newest and newest ~= ARGV[1] then
    return 'superseded'
  end
end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 'taken'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[4] then
  redis.call('SET', ARGV[4], ARGV[5], 'PX', ARGV[2])
end
return 'yours'
