-- At dispatch: confirms the replica that the job is reserved on, or moves the job to a better one with a place free.
-- ARGV job, call (unique), lease's end, URL that it was reserved on, `first`, `again` (after a failure) or
--      `hedge` (a second call, under an id of its own, that is made at once or not at all),
--      URLs that failed ...
-- Returns {'go', URL, 'probe' or ''}; {'wait', when to ask again at the latest (ms), reason}; {'none'} if no other
-- replica is left; {'gone'} if a job that comes again is not counted any more: then its caller is gone.
-- Invariant: a job is counted, and runs, on at most one replica; of a half-open one, one call runs.
local hedge = ARGV[8] == 'hedge'
local job, call, ends, reserved, first = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8] ~= 'again'
local failed = {}
for i = 9, #ARGV do
  failed[ARGV[i]] = true
end

local left = {}
for _, url in ipairs(urls('active')) do
  if not failed[url] then
    left[#left + 1] = url
  end
end
local counted = uncount(job, reserved)
if not first and not counted then
  return { 'gone' }
end
local function count(url)
  redis.call('ZADD', key('inflight', url), ends, job)
  show_load(url)
end
if #left == 0 then
  return { 'none' }
end

local candidates, opens_at = {}, math.huge
for _, r in ipairs(read(left)) do
  local admits = Replica.admits(r, now)
  if admits then
    look(r)
    r.busy = r.running
    r.preferred = r.url == reserved
    r.is_probe = admits == 'probe'
    if r.is_probe then
      r.room = r.busy + 1
    end
    candidates[#candidates + 1] = r
  else
    opens_at = math.min(opens_at, math.max(r.open_until, r.probe ~= '' and r.probe_until or 0))
  end
end

local chosen
-- A probe costs one call, and only one: it is made as soon as it may be, by a job that has others to turn to.
for _, r in ipairs(candidates) do
  if r.is_probe and not hedge and (#candidates > 1 or #left == 1) and not chosen then
    chosen = r
  end
end
if not chosen then
  local turn = s.policy == 'round-robin' and redis.call('GET', key('turn')) or 0
  chosen = Policy.choose(s.policy, candidates, tonumber(turn))
end
if not chosen then
  if hedge then
    return { 'none' }
  end
  count(reserved) -- what waits is counted
  redis.call('SET', key('waiting'), 1, 'PX', 10000)
  local open = #candidates == 0
  local again_ms = open and math.max(1, opens_at - now) or 1000
  return { 'wait', string.format('%.0f', math.min(again_ms, 1000)), open and 'open' or 'full' }
end

count(chosen.url)
redis.call('ZADD', key('running', chosen.url), now, job)
redis.call('HSET', key('calls'), job, chosen.url .. ' ' .. call)
if chosen.is_probe then
  Replica.probed_by(chosen, call, tonumber(ends))
  write(chosen)
end
return { 'go', chosen.url, chosen.is_probe and 'probe' or '' }
