-- What comes and how long it takes, drawn from streams of its own: the same for every policy with the same seed.

-- SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): numbers in [0, 1).
local function stream(seed)
  local state = seed * 0x2545F4914F6CDD1D
  return function()
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    return ((z ~ (z >> 31)) >> 11) * 0x1p-53
  end
end

local log, exp, sqrt, cos, floor = math.log, math.exp, math.sqrt, math.cos, math.floor

-- A function that draws from a distribution: {kind, mean, sigma, samples}, in ms.
local function drawing(from, uniform)
  if from.kind == 'exponential' then
    return function()
      return -from.mean * log(1 - uniform())
    end
  elseif from.kind == 'log-normal' then
    local mu = log(from.mean) - from.sigma ^ 2 / 2
    return function()
      return exp(mu + from.sigma * sqrt(-2 * log(1 - uniform())) * cos(2 * math.pi * uniform()))
    end
  elseif from.kind == 'recorded' then
    local n = #from.samples
    return function()
      return from.samples[floor(uniform() * n) + 1]
    end
  end
  return function()
    return from.mean
  end
end

-- Times between arrivals, ms: Poisson, or as recorded.
local function arriving(arrivals, uniform)
  if arrivals.gaps then
    local i = 0
    return function()
      i = i % #arrivals.gaps + 1
      return arrivals.gaps[i]
    end
  end
  return drawing({ kind = 'exponential', mean = 1 / arrivals.per_ms }, uniform)
end
