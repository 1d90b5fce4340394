-- The counts of replicas and what they should be, at one instant: a script runs alone.
-- KEYS none (a run has a Redis of its own, without a prefix); ARGV queues of the line ...
-- Returns JSON: {now, replicas: [{url, load, counted: [job id, end of its lease, ...], running: [job id ...]}],
--   live: [job id ...] of messages on the line that are neither completed nor expired,
--   done: [job id ...] of those counted that are completed}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function list(values)
  return #values > 0 and values or nil
end

local live = {}
local function look(messages)
  for _, message in ipairs(messages) do
    local job, deadline = string.match(message, '"job_id":"([^"]*)"'), string.match(message, '"deadline":(%d+)')
    if job and tonumber(deadline) > now and redis.call('EXISTS', 'job:completion:' .. job) == 0 then
      live[#live + 1] = job
    end
  end
end
for _, queue in ipairs(ARGV) do
  look(redis.call('LRANGE', queue, 0, -1))
  look(redis.call('LRANGE', queue .. ':retry', 0, -1))
  look(redis.call('ZRANGE', queue .. ':delayed', 0, -1))
  for _, consumer in ipairs(redis.call('ZRANGE', queue .. ':consumers', 0, -1)) do
    look(redis.call('LRANGE', queue .. ':processing:' .. consumer, 0, -1))
  end
end

local replicas, done = {}, {}
for _, url in ipairs(redis.call('HKEYS', 'llm:replicas')) do
  local counted = redis.call('ZRANGE', 'llm:inflight:' .. url, 0, -1, 'WITHSCORES')
  for i = 1, #counted, 2 do
    if redis.call('EXISTS', 'job:completion:' .. counted[i]) == 1 then
      done[#done + 1] = counted[i]
    end
  end
  replicas[#replicas + 1] = {
    url = url,
    load = tonumber(redis.call('GET', 'llm:load:' .. url) or 0),
    counted = list(counted),
    running = list(redis.call('ZRANGE', 'llm:running:' .. url, 0, -1)),
  }
end
return cjson.encode({
  now = now,
  replicas = list(replicas),
  live = list(live),
  done = list(done),
})
