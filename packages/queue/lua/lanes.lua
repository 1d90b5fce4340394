-- Turns among tenants where messages wait: put before the scripts that put messages into a queue, take or count them.
--
-- A queue Q is a list, and while it holds several messages of tenants, a lane for each of them:
--   Q:lane:<tenant>   list, as Q
--   Q:lanes           sorted set: tenant by the virtual time at which its next message starts (start-time fair queueing)
--   Q:weights         hash: tenant to weight; a message moves its tenant on by 1 / weight
-- A new lane starts at the least time there is. One that has emptied is remembered until the others have come as far: who
-- comes back gets no turn that it has had.
-- What is in a lane ends with a space, which JSON does not mind: a consumer that was handed such a message by BLMOVE
-- knows that there may be more, for which nobody is woken until a script looks.
-- Invariants: a message is in Q or in one lane. The first of Q:lanes has a message, so there is that key only while some
--   lane has one. While one has, Q holds something: without that, nobody who waits at Q would be woken. It is broken only
--   between a BLMOVE and the take that its consumer does next.
-- Keys are made here: all names of a line lie on one Redis, or on one Cluster slot.

-- Moves the message whose turn it is into Q; 'RIGHT' to be taken next, 'LEFT' to be taken last.
local function stage(queue, side)
  local lanes, weights = queue .. ':lanes', queue .. ':weights'
  local tenant, start = unpack(redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES'))
  if not tenant then
    return
  end
  redis.call('LMOVE', queue .. ':lane:' .. tenant, queue, 'RIGHT', side)
  redis.call('ZADD', lanes, start + 1 / redis.call('HGET', weights, tenant), tenant)
  while true do
    tenant = redis.call('ZRANGE', lanes, 0, 0)[1]
    if not tenant or redis.call('EXISTS', queue .. ':lane:' .. tenant) == 1 then
      return
    end
    redis.call('ZREM', lanes, tenant)
    redis.call('HDEL', weights, tenant)
  end
end

-- Adds a message as the last of its tenant. A weight of 0 is of messages without turns: they wait in Q in the order in
-- which they came, and take turns only beside tenants that do.
local function push(queue, message, tenant, weight)
  local lanes = queue .. ':lanes'
  local waits = redis.call('EXISTS', lanes) == 1
  weight = tonumber(weight)
  if not waits then
    local length = weight > 0 and redis.call('LLEN', queue) or 0
    if length == 0 then
      redis.call('LPUSH', queue, message)
      return
    end
    -- Two in Q before there are lanes, so that the last of Q always ends with a space then.
    if length == 1 then
      redis.call('LPUSH', queue, message .. ' ')
      return
    end
  end
  redis.call('LPUSH', queue .. ':lane:' .. tenant, message .. ' ')
  redis.call('HSET', queue .. ':weights', tenant, weight > 0 and weight or 1)
  redis.call('ZADD', lanes, 'NX', redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')[2] or 0, tenant)
  if waits and redis.call('EXISTS', queue) == 0 then
    stage(queue, 'LEFT')
  end
end

-- After a message was taken from Q: the next in turn, where none is left there; and one for each that came into Q
-- another way, so that neither those nor the lanes keep the others waiting.
local function stage_after(queue, message)
  local length = redis.call('LLEN', queue)
  if length == 0 then
    stage(queue, 'LEFT')
  elseif length > 1 and string.byte(message, -1) ~= 32 then
    stage(queue, 'RIGHT')
  end
end

-- How many messages wait in Q and its lanes, and by tenant in the lanes: added to `lanes`.
local function waiting(queue, lanes)
  local length = redis.call('LLEN', queue)
  if length == 0 then
    return 0, 0
  end
  local depth = length
  for _, tenant in ipairs(redis.call('ZRANGE', queue .. ':lanes', 0, -1)) do
    local own = redis.call('LLEN', queue .. ':lane:' .. tenant)
    lanes[tenant] = (lanes[tenant] or 0) + own
    depth = depth + own
  end
  return depth, length
end
