-- The line from admission to answer, in simulated time, around the balancer's own decisions. As in the scripts of
-- packages/balancer/lua: a job is reserved at admission, and dispatched when encoder and retriever are through; where no
-- place is free it waits, in order. A replica that fails is told to the breaker, and the job goes to another.
-- `config` is the scenario, as simulate/scenario.ts makes it. result.lua, behind it, returns what came.
local s = config.settings
local rival = config.rival
local learns = s.policy == 'learned'
local guard = {}
for name, value in pairs(Guard.START) do
  guard[name] = value
end
math.randomseed(config.seed)

-- Not zero, which stands for never.
local EPOCH = 1e9
local HEALTHY_MS, SILENT_MS = 1, 2000

local now = EPOCH
local gap = arriving(config.arrivals, stream(config.seed))
local service = drawing(config.service, stream(config.seed + 1))
local fault_draw = stream(config.seed + 2)
local gateway_draw = stream(config.seed + 3)

local replicas = {}
for i, given in ipairs(config.replicas) do
  given.seed = config.seed * 1009 + i
  local r = Replica.fresh(now - s.slow_start_ms)
  r.id = i
  r.url = i
  r.model = Model.fresh(given)
  r.model.replica = r
  r.inflight = 0
  r.running = 0
  r.age = 0
  r.calls = 0
  r.failures = 0
  r.answers = 0
  Proxy.fresh(r)
  replicas[i] = r
end

local retries, moves, probes, silences = 0, 0, 0, 0
local turn = 0
local arrived = 0
local pool, pooled = {}, 0

local function settle_policy()
  if learns then
    s.policy = config.guard and Guard.policy(guard, now) or 'learned'
  end
end

local function see(r)
  r.room = Replica.room(r, now, s)
  r.share = s.limit > 0 and r.room / s.limit or 1
  r.age = r.oldest and now - r.oldest.began or 0
end

local function is_over(job, ok)
  Books.close(job, ok, now)
  pooled = pooled + 1
  pool[pooled] = job
end

local function give_up(job)
  if job.reserved then
    job.reserved.inflight = job.reserved.inflight - 1
  end
  is_over(job, false)
end

local function run_on(r, job)
  if r ~= job.reserved then
    if job.reserved then
      job.reserved.inflight = job.reserved.inflight - 1
      moves = moves + 1
    end
    r.inflight = r.inflight + 1
    job.reserved = r
  end
  Calls.begin(r, job, now)
  if r.is_probe and not rival then
    Replica.probed_by(r, job.token, now + config.deadline_ms)
    probes = probes + 1
  end
  Model.call(r.model, job, now, fault_draw)
end

local untried = {}
-- Whether the job runs now, or is over; otherwise it waits.
local function dispatched(job)
  if now - job.came > config.deadline_ms then
    give_up(job)
    return true
  end
  local candidates = replicas
  if job.failed or rival then
    candidates = untried
    local n = 0
    for _, r in ipairs(replicas) do
      if not (job.failed and job.failed[r]) and not r.down then
        n = n + 1
        candidates[n] = r
      end
    end
    for i = n + 1, #candidates do
      candidates[i] = nil
    end
    if n == 0 and not rival then
      give_up(job)
      return true
    end
  end
  for _, r in ipairs(candidates) do
    see(r)
    r.busy = r.running
    r.preferred = r == job.reserved
  end
  local chosen
  if rival then
    chosen = Proxy.choice(candidates, rival.maxconn)
  else
    settle_policy()
    chosen = Policy.dispatch(candidates, now - job.ready, false, turn, now, s)
  end
  if not chosen then
    return false
  end
  run_on(chosen, job)
  return true
end

-- As many of those who wait as get a place.
local function serve()
  Waiting.serve(dispatched, now)
end

local function ready(job)
  job.ready = now
  if not (Waiting.empty() and dispatched(job)) then
    Waiting.add(job, now)
  end
end

local function ended(job, outcome)
  local r = job.on
  local latency = now - job.began
  if not rival then
    if outcome == 'ok' then
      -- The whole answer comes with its first token.
      Silence.first_token(r, latency, 0)
      Replica.succeeded(r, now, job.token, latency, r.running, s)
    elseif outcome == 'silent' then
      job.was_silent = true
      Replica.aborted(r, job.token)
    else
      Replica.failed(r, now, job.token, latency, math.random(), s)
    end
    if learns and config.guard then
      Guard.hear(guard, job.began, outcome == 'ok' and latency or Replica.counts_for(r, latency, s))
    end
  end
  Calls.over(job)
  Model.leave(r.model, job, now)
  if outcome == 'ok' then
    r.answers = r.answers + 1
    r.inflight = r.inflight - 1
    is_over(job, true)
  else
    r.failures = r.failures + 1
    if rival and not (latency <= HEALTHY_MS and rival.redispatch) and not rival.retries then
      r.inflight = r.inflight - 1
      is_over(job, false)
    else
      retries = retries + 1
      job.failed = job.failed or {}
      job.failed[r] = true
      if not dispatched(job) then
        Waiting.add_again(job)
      end
    end
  end
  serve()
end

local function arrive()
  arrived = arrived + 1
  local job
  if pooled > 0 then
    job = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
  else
    job = {}
  end
  job.number, job.came, job.work, job.failed, job.reserved, job.was_silent = arrived, now, service(), nil, nil, nil
  if not rival then
    for _, r in ipairs(replicas) do
      see(r)
      r.busy = r.inflight
      r.preferred = false
    end
    turn = turn + 1
    settle_policy()
    job.reserved = Policy.reserve(replicas, turn, now, s)
    job.reserved.inflight = job.reserved.inflight + 1
  end
  job.line_ms = 0
  if config.line_ms > 0 then
    -- Gateways are not equally near.
    local far = config.gateways > 1 and floor(gateway_draw() * config.gateways) / (config.gateways - 1) or 0.5
    job.line_ms = config.line_ms * (0.5 + far)
    job.outcome = 'ready'
    job.token = fresh_token()
    plan(now + job.line_ms, job, job.token)
  else
    ready(job)
  end
end

-- The job's call has no token yet: its time may be over, or its replica hang.
local function look(job)
  local over_at = job.began + config.first_token_ms
  if now >= over_at then
    ended(job, 'failed')
    return
  end
  local r, again = job.on, nil
  if not rival and not job.was_silent then
    local news
    again, news = Silence.look(r, replicas, job.began, 0, now, s)
    if news then
      Replica.fell_silent(r, now, job.token, math.random(), s)
      silences = silences + 1
    end
    if again == 0 then
      ended(job, 'silent')
      return
    end
  end
  plan(again and math.min(now + again, over_at) or over_at, job, -job.token)
end

local function change(fault)
  local r = replicas[fault.replica]
  Model.change(r.model, fault, now, Calls.of(r))
  -- A health check is left at a replica that hangs: answered when it returns.
  if not rival and config.health_ms > 0 and r.model.mode == 'ok' then
    Silence.well(r, now)
    serve()
  end
end

-- Replicas without traffic are asked whether they are well.
local function look_after()
  for _, r in ipairs(replicas) do
    local well = r.model.mode == 'ok'
    if rival then
      Proxy.check(r, well, rival.rise, rival.fall)
    elseif not well and r.running == 0 and now - r.heard_at >= config.health_ms then
      local probe = r.breaker ~= 'closed' and Replica.admits(r, now) == 'probe'
      if probe then
        Replica.probed_by(r, 'health', now)
      end
      if r.breaker == 'closed' or probe then
        Replica.unwell(r, now, r.model.mode == 'hang' and SILENT_MS or HEALTHY_MS, math.random(), s)
      end
    end
  end
  serve()
end

local next_arrival = now + gap()
local next_fault = 1
local health_at = config.health_ms > 0 and now + config.health_ms or math.huge
local faults = config.faults

while Books.over < config.queries do
  local at, what = math.huge, nil
  if arrived < config.queries then
    at, what = next_arrival, 1
  end
  if heap_size > 0 and heap_at[1] <= at then
    at, what = heap_at[1], 2
  end
  local look_at = Calls.look_at()
  if look_at < at then
    at, what = look_at, 3
  end
  if Waiting.wake_at < at then
    at, what = Waiting.wake_at, 4
  end
  if next_fault <= #faults and EPOCH + faults[next_fault].at < at then
    at, what = EPOCH + faults[next_fault].at, 5
  end
  if health_at < at then
    at, what = health_at, 6
  end
  now = at
  if what == 1 then
    next_arrival = now + gap()
    arrive()
  elseif what == 2 then
    local holder, token = take_event()
    if holder.token == -token then
      look(holder)
    elseif holder.token == token then
      local outcome = holder.outcome
      if outcome == 'ready' then
        ready(holder)
      elseif outcome == 'shared' then
        holder.next.outcome = 'ok'
        ended(holder.next, 'ok')
      elseif holder.on.model.mode == 'hang' then
        Model.hold(holder.on.model, holder)
      else
        ended(holder, outcome)
      end
    end
  elseif what == 3 then
    look(Calls.take())
  elseif what == 4 then
    serve()
  elseif what == 5 then
    change(faults[next_fault])
    next_fault = next_fault + 1
  else
    health_at = now + config.health_ms
    look_after()
  end
end
