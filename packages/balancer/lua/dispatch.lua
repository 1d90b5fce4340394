-- At dispatch: confirms the replica that the job is reserved on, or moves the job to a better one with a place free.
-- ARGV job, call (unique), lease's end, URL that it was reserved on, `first`, `again` (after a failure) or
--      `hedge` (a second call, under an id of its own, that is made at once or not at all),
--      how long the job has waited for a place (ms), URLs that failed ...
-- Returns {'go', URL, 'probe' or '', with `explain` among the settings what it chose from, as JSON}; {'wait', when to ask again at the latest (ms), reason}; {'none'} if no other
-- replica is left; {'gone'} if a job that comes again is not counted any more: then its caller is gone.
-- Invariant: a job is counted, and runs, on at most one replica; of a half-open one, one call runs.
local hedge = ARGV[8] == 'hedge'
local job, call, ends, reserved, first = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8] ~= 'again'
local waited = tonumber(ARGV[9])
local failed = {}
for i = 10, #ARGV do
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

local replicas = read(left)
for _, r in ipairs(replicas) do
  look(r)
  r.busy = r.running
  r.preferred = r.url == reserved
end
if s.policy == 'learned' then
  s.policy = Guard.policy(read_guard(), now)
end
local turn = s.policy == 'round-robin' and redis.call('GET', key('turn')) or 0
local chosen, opens_at = Policy.dispatch(replicas, waited, hedge, tonumber(turn), now, s)
if not chosen then
  if hedge then
    return { 'none' }
  end
  count(reserved) -- what waits is counted
  wait_for_place(job, first)
  local open = opens_at ~= nil
  local again_ms = open and math.max(1, opens_at - now) or 1000
  return { 'wait', string.format('%.0f', math.min(again_ms, 1000)), open and 'open' or 'full' }
end

if redis.call('EXISTS', key('waiting')) == 1 then
  redis.call('ZREM', key('waiting'), job)
  for _, r in ipairs(replicas) do
    if r.busy + (r == chosen and 1 or 0) < r.room then
      place_is_free() -- there was more than one
      break
    end
  end
end
count(chosen.url)
redis.call('ZADD', key('running', chosen.url), now, job)
redis.call('HSET', key('calls'), job, chosen.url .. ' ' .. call)
if chosen.is_probe then
  Replica.probed_by(chosen, call, tonumber(ends))
  write(chosen)
end
local considered
if s.explain then
  considered = {}
  for i, r in ipairs(replicas) do
    considered[i] = { replica = r.url, running = r.running, room = r.room, typical = r.typical, breaker = r.breaker }
  end
end
return { 'go', chosen.url, chosen.is_probe and 'probe' or '', considered and cjson.encode(considered) }
