-- The calls that replicas are at, each replica's by when they began; and those that may soon be late.
local Calls = {}

-- A call is looked at when it is so old, ms: sooner no replica is taken to hang. All get the same time, so the young ones
-- need no heap: hardly any of them grows older.
local LOOK_MS = math.min(500, config.first_token_ms)
local young, young_token, young_first, young_last = {}, {}, 1, 0

function Calls.begin(r, job, now)
  job.on = r
  job.began = now
  job.token = fresh_token()
  r.calls = r.calls + 1
  r.running = r.running + 1
  job.before, job.after = r.newest, nil
  if r.newest then
    r.newest.after = job
  else
    r.oldest = job
  end
  r.newest = job
  young_last = young_last + 1
  young[young_last], young_token[young_last] = job, job.token
end

function Calls.over(job)
  local r = job.on
  if job.before then
    job.before.after = job.after
  else
    r.oldest = job.after
  end
  if job.after then
    job.after.before = job.before
  else
    r.newest = job.before
  end
  r.running = r.running - 1
  job.token = 0
end

-- When the first call is to be looked at.
function Calls.look_at()
  while young_first <= young_last do
    local job = young[young_first]
    if job.token == young_token[young_first] then
      return job.began + LOOK_MS
    end
    young[young_first], young_token[young_first] = nil, nil
    young_first = young_first + 1
  end
  return math.huge
end

-- That call; it is young no more.
function Calls.take()
  local job = young[young_first]
  young[young_first], young_token[young_first] = nil, nil
  young_first = young_first + 1
  return job
end

function Calls.of(r)
  local running = {}
  local job = r.oldest
  while job do
    running[#running + 1] = job
    job = job.after
  end
  return running
end
