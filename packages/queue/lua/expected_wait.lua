-- How long a new message would take to leave a line, by what the line did of late: put before admit.lua, after lanes.lua.
-- Before it are what consumers hold, what waits in its tenant's lanes, what waits for nobody's turn, and of each other
-- tenant as many as have their turn meanwhile. All of them pass the slowest of the queues (see pace.lua), which is what
-- they take. The message's own time is in it: it is as if it were one of those that are held.

-- Fewer, or over a shorter time, are no measure: consumers that began together end together.
local FEWEST, SHORTEST_MS = 10, 1000

-- `depth` and `lanes` as of `waiting` over all of `queues`; ms, 0 where nothing is known yet.
local function expected_wait(queues, depth, lanes, tenant, weight)
  local interval = 0
  for _, queue in ipairs(queues) do
    local n, ms = unpack(redis.call('HMGET', queue .. ':pace', 'n', 'ms'))
    if tonumber(n or 0) >= FEWEST and tonumber(ms) >= SHORTEST_MS then
      interval = math.max(interval, ms / n)
    end
  end
  if interval == 0 then
    return 0
  end
  local before = depth
  local own = (lanes[tenant] or 0) + 1
  for other, waits in pairs(lanes) do
    if other ~= tenant then
      local theirs = 1
      for _, queue in ipairs(queues) do
        theirs = tonumber(redis.call('HGET', queue .. ':weights', other) or theirs)
      end
      before = before - math.max(0, waits - math.ceil(own * theirs / math.max(weight, 1)))
    end
  end
  for _, queue in ipairs(queues) do
    for _, consumer in ipairs(redis.call('ZRANGE', queue .. ':consumers', 0, -1)) do
      before = before + redis.call('LLEN', queue .. ':processing:' .. consumer)
    end
  end
  return before * interval
end
