-- Counts a job back, wherever it is counted, and its hedge.
-- ARGV job, URL that it was reserved on
-- Returns 1, or 0 if it was counted back before.
-- Invariant: releasing twice is releasing once.
local job, reserved = ARGV[4], ARGV[5]
if redis.call('HEXISTS', key('calls'), job .. '#hedge') == 1 then
  uncount(job .. '#hedge', reserved)
end
if not uncount(job, reserved) then
  return 0
end
place_is_free()
return 1
