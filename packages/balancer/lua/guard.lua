-- Holds `learned` to its word: where its P99 is worse than that of `peak-ewma`, that one decides instead. Pure, as
-- `replica.lua`.
--
-- One second in eight, the policy that does not decide otherwise does: so both are measured all the time, on the same
-- replicas, and what losing costs is bounded by that share. (A switchback experiment: two policies at the same moment
-- would share their replicas, and each would suffer for what the other does.)
local Guard = {}

Guard.START = { learned = 0, ['peak-ewma'] = 0, ['learned calls'] = 0, ['peak-ewma calls'] = 0, falls_back = false }

local SLOT_MS = 1000
local TRIAL = 8
-- A quantile followed by stochastic approximation (Robbins and Monro, 1951), on the logarithm of latency.
local QUANTILE = 0.99
local STEP = 0.2
-- Calls that an estimate needs before it is believed.
local LEAST_CALLS = 300
-- So much worse, or it is noise; and so much better than that before it decides again.
local WORSE, AS_GOOD = 1.3, 1.1

-- The policy that decides at this time.
function Guard.policy(g, now)
  local slot = math.floor(now / SLOT_MS)
  -- Spread, lest it beats in time with what the load does.
  local trial = (slot * 7919 % 1009) % TRIAL == 0
  if g.falls_back ~= trial then
    return 'peak-ewma'
  end
  return 'learned'
end

-- A call that began at `began` took `latency`, a failure being as long as it counts for.
function Guard.hear(g, began, latency)
  local policy = Guard.policy(g, began)
  local log = math.log(math.max(latency, 1))
  local calls = policy .. ' calls'
  if g[calls] == 0 then
    g[policy] = log
  end
  g[calls] = g[calls] + 1
  -- Faster at first, to come to where it belongs.
  local step = math.max(STEP, 4 / g[calls])
  g[policy] = g[policy] + step * (log > g[policy] and QUANTILE or QUANTILE - 1)
  if math.min(g['learned calls'], g['peak-ewma calls']) >= LEAST_CALLS then
    local ratio = math.exp(g['learned'] - g['peak-ewma'])
    if not g.falls_back and ratio > WORSE then
      g.falls_back = true
    elseif g.falls_back and ratio < AS_GOOD then
      g.falls_back = false
    end
  end
end
