-- One replica as the balancer knows it, and what it learns from each call. Pure: no keys and no clock of its own, so
-- that the scripts and the simulator run the same lines. Times in ms since 1970, durations in ms.
--
-- Its breaker, which all gateways and workers share:
-- closed     calls go through; opens on `failures` in a row, or on an error rate over the window.
-- open       nothing goes through until `open_until`, which is never brought forward.
-- half-open  one call goes through, the probe. It succeeds: closed, with a slow start. It fails: open, for longer.
local Replica = {}

-- What is kept of it between calls, with what it starts from.
Replica.START = {
  latency = 0, -- peak EWMA of whole calls
  heard_at = 0, -- when that was last renewed
  back_at = 0, -- when it was heard of after a silence, and no call since has told what it is like now; else 0
  typical = 0, -- geometric mean of late: one long answer does not move it far
  usual = 0, -- slower: what a call takes when nothing is wrong
  good = 0, -- outcomes in the window, fading
  bad = 0,
  counted_at = 0,
  fails = 0, -- failures in a row
  breaker = 'closed',
  open_until = 0,
  opens = 0, -- how often it opened without a quiet time between
  probe = '', -- the call that is the probe, and when it counts as lost
  probe_until = 0,
  since = 0, -- when it came, or came back: the start of its slow start
  limit = 0, -- calls at once, where adapted
  cut_at = 0, -- when the limit was last cut
  -- For `silence.lua`: the logarithm of times to the first token, its mean and mean deviation, of so many calls, and how
  -- long their prompts are; when it last gave a sign of life; since when it hangs, else 0; how often it came back to
  -- hang again.
  first = 0,
  first_deviation = 0,
  firsts = 0,
  chars = 0,
  sign_at = 0,
  hung_at = 0,
  relapses = 0,
  -- For the policy `learned`: discounted sums over calls of the logarithms of latency (y) and of calls there (x).
  weight = 0,
  y = 0,
  yy = 0,
  x = 0,
  xx = 0,
  xy = 0,
}

local ADAPTED_START = 8
local ADAPTED_MOST = 256
-- Latencies of this many times the usual one mean too many calls at once.
local CONGESTED = 2
-- Outcomes that a rate needs before it means something.
local LEAST_OUTCOMES = 20
-- A run of failures opens a breaker where chance alone would bring it so rarely, given the error rate of late: one that
-- fails half of its calls has runs of ten every minute, and is of use.
local BY_CHANCE = 1e-6
-- So many failed checks in a row open a breaker, at about.
local CHECKS = 3
-- In the peak, in `learned` and its guard, a failure counts as a call that took this many times the usual. Not in
-- `typical`: a call that fails fast and is made again elsewhere costs next to nothing, so a replica that fails half of
-- its calls is not passed over for it; that it fails is in its tries, by which it gets as many as it answers.
local FAILED_LIKE = 5
-- Silence of so many times what a call takes, with calls there, means that it hung.
local SILENT = 5
-- Successes in the window after which an earlier opening is forgotten: the next one is no repetition.
local GOOD_AGAIN = 50
-- Weight of one call in `usual`, and in `typical`.
local USUAL_GAIN = 0.05
local TYPICAL_GAIN = 0.1

function Replica.fresh(now)
  local r = {}
  for name, value in pairs(Replica.START) do
    r[name] = value
  end
  r.since = now
  return r
end

-- Calls at once that it may have now: fewer while it starts slowly, one at least.
function Replica.room(r, now, s)
  local limit = s.limit
  if limit == 0 then
    limit = r.limit > 0 and r.limit or ADAPTED_START
  end
  local started = s.slow_start_ms > 0 and (now - r.since) / s.slow_start_ms or 1
  if started < 1 then
    limit = limit * started
  end
  return math.max(1, math.floor(limit))
end

-- Whether a call may go there: 'yes', 'probe' (this one alone), or nil.
function Replica.admits(r, now)
  if r.breaker == 'closed' then
    return 'yes'
  end
  if now >= r.open_until and (r.probe == '' or now >= r.probe_until) then
    return 'probe'
  end
  return nil
end

function Replica.probed_by(r, call, lost_at)
  r.breaker = 'half-open'
  r.probe = call
  r.probe_until = lost_at
end

-- What a call there is expected to take. A replica that hangs tells nothing: then the time for which it has been silent
-- does, though it has calls. The age of its oldest call alone would not: of many calls, one is always long.
function Replica.expected(r, now)
  local silent = r.running > 0 and math.min(r.age, now - r.heard_at) or 0
  return math.max(r.typical, silent, 1)
end

-- The same, by its worst of late: up at once, and fading when nothing bad is heard, or nothing at all.
function Replica.peak(r, now, s)
  local kept = math.exp(-(now - r.heard_at) / s.decay_ms)
  return math.max(r.typical + math.max(0, r.latency - r.typical) * kept, Replica.expected(r, now))
end

-- Calls for each one that succeeds, of late: 1 where none fails.
function Replica.tries(r)
  return (r.good + r.bad + 1) / (r.good + 1)
end

-- Calls in the window, faded to now.
function Replica.calls_lately(r, now, s)
  return (r.good + r.bad) * math.exp(-(now - r.counted_at) / s.window_ms)
end

local function fade_window(r, now, s)
  local kept = math.exp(-(now - r.counted_at) / s.window_ms)
  r.good = r.good * kept
  r.bad = r.bad * kept
  r.counted_at = now
end

-- Peak EWMA, as in Finagle: up at once, down with time. https://twitter.github.io/finagle/guide/Clients.html
-- `failure`: nil, `fast` for one that counts for more than it took, or `slow`.
local function hear(r, now, latency, busy, s, failure)
  local quiet = now - r.heard_at
  local kept = math.exp(-quiet / s.decay_ms)
  if latency >= r.latency then
    r.latency = latency
  else
    r.latency = r.latency * kept + latency * (1 - kept)
  end
  latency = math.max(latency, 1)
  local log = math.log(latency)
  local anew = r.typical == 0 or quiet >= s.explore_ms
  if failure == 'fast' then
    anew = false
  elseif r.back_at > 0 and now - latency >= r.back_at then
    anew, r.back_at = true, 0
  elseif not failure and r.typical > 0 and quiet > SILENT * r.typical and latency > quiet / 2 then
    r.back_at = now
    anew = false
  end
  if anew then
    -- One call tells more than all that was heard before: but it is one, so the rest come by and by.
    if r.typical > 2 * latency then
      r.since = math.max(r.since, now - s.slow_start_ms / 2)
      r.latency = latency
    end
    r.typical = latency
    if not failure then
      r.usual = latency
    end
    r.weight, r.y, r.yy, r.x, r.xx, r.xy = 0, 0, 0, 0, 0, 0
  elseif failure ~= 'fast' then
    local gain = math.max(TYPICAL_GAIN, 1 - kept)
    r.typical = math.exp((1 - gain) * math.log(r.typical) + gain * log)
  end
  r.heard_at = now
  local x = math.log(math.max(busy, 1))
  r.weight = r.weight * s.discount + 1
  r.y = r.y * s.discount + log
  r.yy = r.yy * s.discount + log * log
  r.x = r.x * s.discount + x
  r.xx = r.xx * s.discount + x * x
  r.xy = r.xy * s.discount + x * log
end

-- It hung, and is heard of again: what its calls took tells of then, and not of now. One call is to find out.
function Replica.is_back(r)
  return r.back_at > 0
end

local function open(r, now, random, s)
  r.opens = r.opens + 1
  local cool = math.min(s.cooldown_ms * 2 ^ (r.opens - 1), s.cooldown_most_ms)
  r.breaker = 'open'
  r.open_until = math.max(r.open_until, now + cool * (1 + 0.5 * random))
  r.probe = ''
  r.fails = 0
  r.good = 0
  r.bad = 0
end

-- `busy` is how many calls it had, this one included.
function Replica.succeeded(r, now, call, latency, busy, s)
  fade_window(r, now, s)
  hear(r, now, latency, busy, s)
  r.sign_at = now
  if r.hung_at > 0 then
    if now - latency >= r.hung_at then
      r.hung_at, r.relapses = 0, 0
    elseif r.back_at == 0 then
      r.back_at = now
    end
  end
  r.good = r.good + 1
  r.fails = 0
  local limit = r.limit > 0 and r.limit or ADAPTED_START
  -- Latency under load is not usual: it is learned from, but slowly.
  local gain = (2 * busy <= limit or busy <= 2) and USUAL_GAIN or USUAL_GAIN / 10
  r.usual = r.usual == 0 and r.typical or r.usual + gain * (r.typical - r.usual)
  if s.limit == 0 then
    if r.typical > CONGESTED * r.usual then
      -- Once a call's time: all that were congested together are one reason.
      if now - r.cut_at > latency then
        limit = math.max(1, limit * 0.8)
        r.cut_at = now
      end
    elseif busy >= math.floor(limit) then
      limit = math.min(ADAPTED_MOST, limit + 1 / limit)
    end
    r.limit = limit
  end
  if r.breaker ~= 'closed' then
    if r.probe == call then
      r.breaker = 'closed'
      r.probe = ''
      r.since = now
    end
  elseif r.opens > 0 and (now - r.since > s.cooldown_most_ms or r.good > GOOD_AGAIN) then
    r.opens = 0
  end
end

-- What a failure that took `latency` counts for.
function Replica.counts_for(r, latency, s)
  return math.max(latency, r.usual > 0 and FAILED_LIKE * r.usual or s.failure_ms)
end

local function count_failure(r, now, call, random, s)
  fade_window(r, now, s)
  r.bad = r.bad + 1
  r.fails = r.fails + 1
  local seen = r.good + r.bad
  if r.breaker == 'closed' then
    local before = math.max(0, r.bad - r.fails) / math.max(1, seen - r.fails)
    local row = r.fails >= s.failures and before ^ r.fails <= BY_CHANCE
    if row or (seen >= LEAST_OUTCOMES and r.bad / seen >= s.error_rate) then
      open(r, now, random, s)
    end
  elseif r.probe == call then
    open(r, now, random, s)
  end
  -- A call that began before it opened changes nothing: the cool-down is neither cut nor drawn out.
end

-- A failure counts as a slow call, or one that fails fast would look the best. `random` in [0, 1).
function Replica.failed(r, now, call, latency, random, s)
  local counted = Replica.counts_for(r, latency, s)
  hear(r, now, counted, r.running, s, counted > latency and 'fast' or 'slow')
  count_failure(r, now, call, random, s)
end

-- It hangs, as `silence.lua` found: one failure, however many calls it holds. What calls take there is as it was.
function Replica.fell_silent(r, now, call, random, s)
  if r.back_at > 0 then
    r.relapses = r.relapses + 1
  end
  r.hung_at, r.back_at, r.heard_at = now, 0, now
  count_failure(r, now, call, random, s)
end

-- It was asked whether it is well, and is not. That weighs more than a call: nothing but being up was asked.
function Replica.unwell(r, now, latency, random, s)
  r.fails = r.fails + math.floor(s.failures / CHECKS)
  Replica.failed(r, now, 'health', latency, random, s)
end

-- The call ended without telling anything of the replica: a probe may be tried again.
function Replica.aborted(r, call)
  if r.probe == call then
    r.probe = ''
  end
end
