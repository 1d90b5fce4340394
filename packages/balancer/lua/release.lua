-- Counts a job back, wherever it is counted.
-- ARGV job, URL that it was reserved on
-- Returns 1, or 0 if it was counted back before.
-- Invariant: releasing twice is releasing once.
local job, reserved = ARGV[4], ARGV[5]
if not uncount(job, reserved) then
  return 0
end
place_is_free()
return 1
