-- Counts a job back, wherever it is counted, and its hedge.
-- ARGV job, URL that it was reserved on; empty where the reply was lost that told it
-- Returns 1, or 0 if it was counted back before.
-- Invariant: releasing twice is releasing once.
local job, reserved = ARGV[4], ARGV[5]
if redis.call('HEXISTS', key('calls'), job .. '#hedge') == 1 then
  uncount(job .. '#hedge', reserved)
end
if reserved == '' then
  for _, url in ipairs(urls('active', 'draining')) do
    if redis.call('ZREM', key('inflight', url), job) == 1 then
      show_load(url)
    end
  end
end
if not uncount(job, reserved) then
  return 0
end
place_is_free()
return 1
