-- Which replica next. Pure, as `replica.lua`: the scripts and the simulator run the same lines.
--
-- A policy gets the candidates, which may all take the call, and returns the cost of each: the least is chosen. Of a
-- candidate it sees `busy` (calls there now), `room` (calls it may have), `preferred` (the job is reserved there) and
-- what `replica.lua` keeps. Ties go to the preferred one, else they are broken at random.
local Policy = {}

-- Least connections: the one with the fewest calls. Knows nothing of speed, and needs to know nothing.
Policy['least-connections'] = function(candidates)
  local costs = {}
  for i, r in ipairs(candidates) do
    costs[i] = (r.busy + 1) / r.share
  end
  return costs
end

-- The power of two choices (Mitzenmacher, 2001): the less busy of two drawn at random. Cheap with many replicas.
Policy['p2c'] = function(candidates)
  local costs = {}
  local n = #candidates
  local a = math.random(n)
  local b = n > 1 and (a + math.random(n - 1) - 1) % n + 1 or a
  for i, r in ipairs(candidates) do
    costs[i] = (i == a or i == b) and (r.busy + 1) / r.room or math.huge
  end
  return costs
end

-- Each in turn, whatever it does. For comparison, and for replicas known to be equal.
Policy['round-robin'] = function(candidates, turn)
  local costs = {}
  local n = #candidates
  for i, r in ipairs(candidates) do
    costs[i] = r.preferred and -1 or (i - 1 - turn) % n
  end
  return costs
end

-- Peak EWMA: what a call there takes, by how full it is.
Policy['peak-ewma'] = function(candidates)
  local costs = {}
  for i, r in ipairs(candidates) do
    costs[i] = Replica.expected(r) * (r.busy + 1) / r.room
  end
  return costs
end

local function normal()
  local u = math.max(math.random(), 1e-12)
  return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * math.random())
end

-- 99th percentile of a normal distribution, in deviations.
local P99 = 2.326
-- What is believed before anything is known: one call, as fast as the fastest.
local PRIOR_WEIGHT = 1
local PRIOR_VARIANCE = 0.1

-- Discounted Thompson sampling (Raj and Kalyani, 2017, https://arxiv.org/abs/1707.09727) on the logarithm of latency:
-- a mean is drawn from what is believed of each replica, and the one whose P99 would be least is chosen.
Policy['learned'] = function(candidates)
  local costs = {}
  local fastest = math.huge
  for _, r in ipairs(candidates) do
    if r.weight > 0 then
      fastest = math.min(fastest, r.sum / r.weight)
    end
  end
  if fastest == math.huge then
    fastest = 0
  end
  for i, r in ipairs(candidates) do
    local n = r.weight + PRIOR_WEIGHT
    local mean = (r.sum + PRIOR_WEIGHT * fastest) / n
    local spread = r.weight > 0 and math.max(r.squares / r.weight - (r.sum / r.weight) ^ 2, 0) or 0
    -- What is unknown makes the draw wide, not the tail long: or what is unknown would never be tried.
    local doubt = (spread * r.weight + PRIOR_VARIANCE * PRIOR_WEIGHT) / n
    local p99 = math.exp(mean + math.sqrt(doubt / n) * normal() + P99 * math.sqrt(spread))
    costs[i] = math.max(p99, r.age or 0) * (r.busy + 1) / r.room
  end
  return costs
end

-- Policies that know how long a call takes can say that none of the free ones is worth it.
local KNOWS_LATENCY = { ['peak-ewma'] = true, ['learned'] = true }
-- A free replica that takes this many times as long as waiting for a better one is passed over: it would be the P99.
local NOT_WORTH = 2

-- The best of `candidates` (an array, of which those with `busy < room` are free), or nil if it is better to wait.
function Policy.choose(name, candidates, turn)
  local free, full_expects = {}, math.huge
  for _, r in ipairs(candidates) do
    if r.busy < r.room then
      free[#free + 1] = r
    end
    -- Where it is full, a place comes free after a part of a call.
    local wait = r.busy < r.room and 0 or Replica.expected(r) / r.room
    full_expects = math.min(full_expects, Replica.expected(r) + wait)
  end
  if KNOWS_LATENCY[name] then
    local worth = {}
    for _, r in ipairs(free) do
      if Replica.expected(r) <= NOT_WORTH * full_expects then
        worth[#worth + 1] = r
      end
    end
    free = worth
  end
  if #free == 0 then
    return nil
  end
  local costs = Policy[name](free, turn)
  local least, best = math.huge, {}
  for i, cost in ipairs(costs) do
    if cost < least then
      least, best = cost, { free[i] }
    elseif cost == least then
      best[#best + 1] = free[i]
    end
  end
  for _, r in ipairs(best) do
    if r.preferred then
      return r
    end
  end
  return best[math.random(#best)]
end
