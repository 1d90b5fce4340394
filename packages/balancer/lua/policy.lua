-- Which replica next. Pure, as `replica.lua`: the scripts and the simulator run the same lines.
--
-- A policy gets the candidates, which may all take the call, and returns the cost of each: the least is chosen. Of a
-- candidate it sees `busy` (calls there now), `room` (calls it may have), `preferred` (the job is reserved there) and
-- what `replica.lua` keeps. Ties go to the preferred one, else they are broken at random.
--
-- Around the policy, for all but `round-robin`: a replica that is far slower than waiting for a better one is passed
-- over, and tried again from time to time.
local Policy = {}

-- Least connections: the one with the fewest calls. Knows nothing of speed, and needs to know nothing. One that fails
-- fast looks idle: counted for each success, its calls are as many as the others'.
Policy['least-connections'] = function(candidates, turn, now, s)
  local costs = {}
  for i, r in ipairs(candidates) do
    costs[i] = (r.busy + 1) / r.share * Replica.tries(r)
  end
  return costs
end

-- The power of two choices (Mitzenmacher, 2001): the less busy of two drawn at random. Cheap with many replicas.
Policy['p2c'] = function(candidates, turn, now, s)
  local costs = {}
  local n = #candidates
  local a = math.random(n)
  local b = n > 1 and (a + math.random(n - 1) - 1) % n + 1 or a
  for i, r in ipairs(candidates) do
    costs[i] = (i == a or i == b) and (r.busy + 1) / r.room * Replica.tries(r) or math.huge
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
Policy['peak-ewma'] = function(candidates, turn, now, s)
  local costs = {}
  for i, r in ipairs(candidates) do
    costs[i] = Replica.peak(r, now, s) * (r.busy + 1) / r.room
  end
  return costs
end

local function normal()
  local u = math.max(math.random(), 1e-12)
  return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * math.random())
end

-- 99th percentile of a normal distribution, in deviations.
local P99 = 2.326
-- What is believed before anything is known: that latency grows as the calls there do, with this variance.
local PRIOR_WEIGHT = 1
local PRIOR_SLOPE = 1
local PRIOR_VARIANCE = 0.1

-- A contextual bandit: discounted linear Thompson sampling. For each replica a Bayesian regression of the logarithm of
-- latency on that of the calls there, which forgets; its line is drawn from what is believed (Agrawal and Goyal, ICML
-- 2013, https://arxiv.org/abs/1209.3352), with weights that fade (Russac, Vernade and Cappe, NeurIPS 2019,
-- https://arxiv.org/abs/1909.09146). The one whose P99 would then be least is chosen: not the mean, and not the load.
Policy['learned'] = function(candidates, turn, now, s)
  local costs = {}
  local fastest = math.huge
  for _, r in ipairs(candidates) do
    if r.weight > 0 then
      fastest = math.min(fastest, r.y / r.weight)
    end
  end
  if fastest == math.huge then
    fastest = 0
  end
  for i, r in ipairs(candidates) do
    local at = math.log(r.busy + 1)
    local mean_x, mean_y, across, along, variance = 0, fastest, PRIOR_WEIGHT, PRIOR_WEIGHT * PRIOR_SLOPE, 0
    if r.weight > 0 then
      mean_x, mean_y = r.x / r.weight, r.y / r.weight
      across = across + math.max(0, r.xx - r.x * mean_x)
      along = along + r.xy - r.x * mean_y
    end
    local slope = math.max(0, along / across)
    if r.weight > 0 then
      local left = r.yy - r.y * mean_y - slope * (r.xy - r.x * mean_y)
      variance = math.max(0, left) / r.weight
    end
    -- What was believed long ago is doubted, not forgotten: it will be tried again.
    local weight = r.weight * math.exp(-(now - r.heard_at) / s.decay_ms) + PRIOR_WEIGHT
    local doubt = (variance * r.weight + PRIOR_VARIANCE * PRIOR_WEIGHT) / (r.weight + PRIOR_WEIGHT)
    local deviation = math.sqrt(doubt * (1 / weight + (at - mean_x) ^ 2 / across))
    -- Beyond the calls that it is used to, the line is not trusted: past its slots a replica is slower at once.
    local climb = at > mean_x and math.max(slope, PRIOR_SLOPE) or slope
    local p99 = math.exp(mean_y + climb * (at - mean_x) + deviation * normal() + P99 * math.sqrt(variance))
    costs[i] = math.max(p99, Replica.expected(r, now)) * Replica.tries(r)
  end
  return costs
end

-- The least costly of those with a place free, or nil.
local function choose(free, turn, now, s)
  if #free == 0 then
    return nil
  end
  local costs = Policy[s.policy](free, turn, now, s)
  local least, chosen, ties = math.huge, nil, 0
  for i, r in ipairs(free) do
    local cost = costs[i]
    if cost < least then
      least, chosen, ties = cost, r, 1
    elseif cost == least and not (chosen and chosen.preferred) then
      ties = ties + 1
      if r.preferred or math.random(ties) == 1 then
        chosen = r
      end
    end
  end
  return chosen
end

-- At admission, among all that are active: a job may wait in line there, so only the order of the costs counts.
-- `busy` is the number of jobs that are counted there.
function Policy.reserve(replicas, turn, now, s)
  local healthy = {}
  for _, r in ipairs(replicas) do
    r.room = math.max(r.room, r.busy + 1)
    if Replica.admits(r, now) == 'yes' and not Silence.hangs(r) then
      healthy[#healthy + 1] = r
    end
  end
  return choose(#healthy > 0 and healthy or replicas, turn, now, s)
end

-- A free replica that takes this many times as long as waiting for a better one is passed over: it would be the P99.
local NOT_WORTH = 2
-- One that is passed over is tried again after so many calls of the others, and `explore_ms`: under 1 % of all calls,
-- so that the P99 does not show it.
local EXPLORE_CALLS = 200

-- Of those that admit calls: the ones that have a place free and are worth it, and one that is to be tried again.
local function worth_it(candidates, waited, now, s)
  local best = math.huge
  for _, r in ipairs(candidates) do
    -- Where it is full, a place comes free after a part of a call.
    local expected = Replica.expected(r, now)
    r.expected = expected
    if r.busy >= r.room then
      expected = expected + expected / r.room
    end
    -- What is unknown promises nothing, and what hangs neither.
    if r.typical > 0 and not r.aside then
      best = math.min(best, expected)
    end
  end
  -- A job that has waited long shows that the line is long: then a slow replica is better than none.
  local bound = NOT_WORTH * (best + waited)
  local worth, passed_over, stale, back = {}, 0, nil, nil
  for _, r in ipairs(candidates) do
    if r.expected > bound or r.aside then
      passed_over = passed_over + 1
      if r.busy == 0 and Replica.is_back(r) then
        back = r
      elseif r.busy == 0 and (not stale or r.heard_at < stale.heard_at) then
        stale = r
      end
    elseif r.busy < r.room then
      worth[#worth + 1] = r
    end
  end
  if stale then
    local quiet, lately = now - stale.heard_at, 0
    if quiet >= s.explore_ms then
      for _, r in ipairs(candidates) do
        lately = lately + Replica.calls_lately(r, now, s)
      end
    end
    if quiet < s.explore_ms or quiet * lately / s.window_ms < EXPLORE_CALLS * passed_over then
      stale = nil
    end
  end
  return worth, back or stale
end

-- At dispatch, among those that have not failed the job, where `busy` calls run: the replica that takes it now, or nil
-- if it is better to wait; then when the first breaker may be tried, if no replica admits calls.
-- `waited`: how long the job has waited for a place, ms. `hedge`: it has a call elsewhere.
function Policy.dispatch(replicas, waited, hedge, turn, now, s)
  local candidates, opens_at, probe = {}, math.huge, nil
  for _, r in ipairs(replicas) do
    local admits = Replica.admits(r, now)
    r.is_probe = admits == 'probe'
    if r.is_probe then
      probe = probe or r
    elseif admits then
      candidates[#candidates + 1] = r
    else
      opens_at = math.min(opens_at, math.max(r.open_until, r.probe ~= '' and r.probe_until or 0))
    end
  end
  -- A probe costs one call, and only one: it is made as soon as it may be, by a job that has others to turn to.
  if probe and not hedge and (#candidates > 0 or #replicas == 1) then
    return probe
  end
  if #candidates == 0 then
    return not hedge and probe or nil, opens_at
  end
  -- Where no other is left, one that hangs is as good as none that does.
  local awake = false
  for _, r in ipairs(candidates) do
    awake = awake or not Silence.hangs(r)
  end
  for _, r in ipairs(candidates) do
    r.aside = awake and Silence.hangs(r)
  end
  if s.policy == 'round-robin' then
    local free = {}
    for _, r in ipairs(candidates) do
      if r.busy < r.room and (not r.aside or (Replica.is_back(r) and r.busy == 0)) then
        free[#free + 1] = r
      end
    end
    return choose(free, turn, now, s)
  end
  local worth, stale = worth_it(candidates, waited, now, s)
  if stale and not hedge and #replicas > 1 then
    return stale
  end
  return choose(worth, turn, now, s)
end
