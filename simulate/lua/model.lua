-- A replica as it is, which the policy cannot see. It serves `slots` calls at once, each at full speed, and
-- `fifo`    lets further ones wait in order;
-- `shared`  shares itself among all that it has (processor sharing), as a server with continuous batching does.
-- It is `ok`, or refuses calls at once (`refuse`), or takes them and gives no sign until it is ok again (`hang`).
local REFUSED_MS = 1

local Model = {}

function Model.fresh(given)
  return {
    shared = given.shared,
    slots = given.slots,
    slow = given.slow,
    fail_rate = given.fail_rate,
    fail_ms = given.fail_ms,
    takes = given.takes and drawing(given.takes, stream(given.seed)),
    mode = 'ok',
    busy = 0,
    -- fifo: those who wait, and those whose time was over while it hung.
    waiting = {},
    waiting_token = {},
    first = 1,
    last = 0,
    held = {},
    held_token = {},
    -- shared: work done for each call so far, and the calls by the work at which they end.
    outcome = 'shared',
    token = 0,
    work = 0,
    worked_at = 0,
    calls = {},
  }
end

local next_token = 0
local function fresh_token()
  next_token = next_token + 1
  return next_token
end

local function rate(m)
  if m.mode == 'hang' then
    return 0
  end
  return (m.busy > m.slots and m.slots / m.busy or 1) / m.slow
end

local function advance(m, now)
  m.work = m.work + (now - m.worked_at) * rate(m)
  m.worked_at = now
end

-- The call of a shared replica that ends first, if nothing changes until then.
local function first_call(m)
  local first
  for job in pairs(m.calls) do
    if not first or job.ends_at_work < first.ends_at_work or (job.ends_at_work == first.ends_at_work and job.token < first.token) then
      first = job
    end
  end
  return first
end

local function plan_shared(m, now)
  m.token = fresh_token()
  m.next = first_call(m)
  local speed = rate(m)
  if m.next and speed > 0 then
    plan(now + math.max(0, m.next.ends_at_work - m.work) / speed, m, m.token)
  end
end

local function start(m, job, now)
  m.busy = m.busy + 1
  job.served = true
  job.outcome = 'ok'
  plan(now + job.work * m.slow, job, job.token)
end

local function start_waiting(m, now)
  while m.mode == 'ok' and m.busy < m.slots and m.first <= m.last do
    local job, token = m.waiting[m.first], m.waiting_token[m.first]
    m.waiting[m.first], m.waiting_token[m.first] = nil, nil
    m.first = m.first + 1
    if job.token == token then
      start(m, job, now)
    end
  end
end

-- A call comes. How it ends is an event of the job's, under its token.
function Model.call(m, job, now, uniform)
  job.served = false
  if m.takes then
    job.work = m.takes()
  end
  if m.mode == 'refuse' or (m.fail_rate > 0 and m.mode == 'ok' and uniform() < m.fail_rate) then
    job.outcome = 'failed'
    plan(now + (m.mode == 'refuse' and REFUSED_MS or m.fail_ms), job, job.token)
  elseif m.shared then
    advance(m, now)
    m.busy = m.busy + 1
    job.served = true
    job.ends_at_work = m.work + job.work
    m.calls[job] = true
    plan_shared(m, now)
  elseif m.mode == 'ok' and m.busy < m.slots then
    start(m, job, now)
  else
    m.last = m.last + 1
    m.waiting[m.last], m.waiting_token[m.last] = job, job.token
  end
end

-- Its time was over while the replica hung: it ends when that returns, unless its caller gives it up.
function Model.hold(m, job)
  m.held[#m.held + 1] = job
  m.held_token[#m.held] = job.token
end

-- The call is over, or given up by its caller.
function Model.leave(m, job, now)
  if not job.served then
    return
  end
  if m.shared then
    advance(m, now)
    m.busy = m.busy - 1
    m.calls[job] = nil
    plan_shared(m, now)
  else
    m.busy = m.busy - 1
    start_waiting(m, now)
  end
end

-- The replica changes: {slow, mode, fail_rate}, each where given.
function Model.change(m, to, now, running)
  if m.shared then
    advance(m, now)
  end
  m.slow = to.slow or m.slow
  m.fail_rate = to.fail_rate or m.fail_rate
  m.mode = to.mode or m.mode
  if m.mode == 'refuse' then
    -- Its connections break.
    for _, job in ipairs(running) do
      job.token = fresh_token()
      job.outcome = 'failed'
      plan(now + REFUSED_MS, job, job.token)
    end
  elseif m.mode == 'ok' then
    for i, job in ipairs(m.held) do
      plan(now, job, m.held_token[i])
    end
    m.held, m.held_token = {}, {}
    start_waiting(m, now)
  end
  if m.shared then
    plan_shared(m, now)
  end
end
