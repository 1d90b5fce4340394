-- How the balancer's state lies in Redis. Before every script, after `replica.lua`, `policy.lua` and `guard.lua`.
-- ARGV[1] prefix, ARGV[2] settings as JSON, ARGV[3] a random number; the script's own follow.
--
-- `llm:replicas`        hash: URL to `active`, `draining` or `removed`
-- `llm:load:<URL>`      string: jobs counted there
-- `llm:inflight:<URL>`  sorted set behind it: job by the end of its lease
-- `llm:running:<URL>`   sorted set: of those, the ones that the replica is working on, by when they began
-- `llm:calls`           hash: job to the replica it was bound to and the call that runs for it, so that a worker which
--                       lost the job changes nothing
-- `llm:replica:<URL>`   string: what `replica.lua` keeps, as MessagePack; `bun run replicas` shows it
-- `llm:guard`           string: what `guard.lua` keeps, where the policy is `learned`
-- `llm:waiting`         sorted set: jobs that wait for a place, by when they were first told to; before all others those that
--                       come `again`
--
-- Invariant: `load` is the number of unexpired leases in `inflight`; what runs is counted.
local prefix = ARGV[1]
local s = cjson.decode(ARGV[2])
math.randomseed(tonumber(ARGV[3]))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key(kind, url)
  return prefix .. 'llm:' .. kind .. (url and ':' .. url or '')
end

-- The number expires with its last lease: a crashed gateway's jobs leave it without anybody's help.
local function show_load(url)
  local inflight = key('inflight', url)
  local last = redis.call('ZRANGE', inflight, -1, -1, 'WITHSCORES')[2]
  if last then
    redis.call('SET', key('load', url), redis.call('ZCARD', inflight), 'PXAT', last)
    redis.call('PEXPIREAT', inflight, last)
  else
    redis.call('DEL', key('load', url))
  end
end

-- Forgets leases that have ended, and the calls of their jobs.
local function prune(url)
  local inflight = key('inflight', url)
  local ended = redis.call('ZRANGEBYSCORE', inflight, '-inf', now, 'LIMIT', 0, 1000)
  if #ended > 0 then
    redis.call('ZREM', inflight, unpack(ended))
    redis.call('ZREM', key('running', url), unpack(ended))
    redis.call('HDEL', key('calls'), unpack(ended))
    show_load(url)
  end
end

-- URLs of replicas in these states, in a fixed order.
local function urls(...)
  local wanted = {}
  for _, state in ipairs({ ... }) do
    wanted[state] = true
  end
  local found = {}
  local all = redis.call('HGETALL', key('replicas'))
  for i = 1, #all, 2 do
    if wanted[all[i + 1]] then
      found[#found + 1] = all[i]
    end
  end
  table.sort(found)
  return found
end

-- What is known of these replicas, without what runs there now.
local function read(which)
  if #which == 0 then
    return {}
  end
  local keys = {}
  for i, url in ipairs(which) do
    keys[i] = key('replica', url)
  end
  local known = {}
  for i, packed in ipairs(redis.call('MGET', unpack(keys))) do
    local r = packed and cmsgpack.unpack(packed) or Replica.fresh(now)
    setmetatable(r, { __index = Replica.START }) -- what an older version kept lacks some of it
    r.url = which[i]
    r.room = Replica.room(r, now, s)
    r.share = s.limit > 0 and r.room / s.limit or 1
    known[i] = r
  end
  return known
end

local function write(r)
  local kept = {}
  for name in pairs(Replica.START) do
    kept[name] = r[name]
  end
  redis.call('SET', key('replica', r.url), cmsgpack.pack(kept))
end

-- Adds the running calls, and the age of the oldest.
local function look(r)
  prune(r.url)
  local running = key('running', r.url)
  r.running = redis.call('ZCARD', running)
  r.age = r.running > 0 and now - redis.call('ZRANGE', running, 0, 0, 'WITHSCORES')[2] or 0
end

-- Counts the job back from the replica that it is reserved on, or that it was moved to. Returns whether it was counted.
local function uncount(job, reserved)
  local found = false
  local moved = redis.call('HGET', key('calls'), job)
  moved = moved and string.match(moved, '^%S+')
  if moved then
    redis.call('ZREM', key('running', moved), job)
    redis.call('HDEL', key('calls'), job)
  end
  if moved ~= reserved and redis.call('ZREM', key('inflight', reserved), job) == 1 then
    show_load(reserved)
    found = true
  end
  if moved and redis.call('ZREM', key('inflight', moved), job) == 1 then
    show_load(moved)
    found = true
  end
  return found
end

local function read_guard()
  local packed = redis.call('GET', key('guard'))
  if packed then
    return cmsgpack.unpack(packed)
  end
  return Guard.START
end

-- A job whose call has failed has waited longest.
local AHEAD_MS = 1e12

local function wait_for_place(job, first)
  redis.call('ZADD', key('waiting'), 'NX', first and now or now - AHEAD_MS, job)
  redis.call('PEXPIRE', key('waiting'), 10000)
end

-- Who waits longest is told, and no other: were all told, chance would decide who waits on. A job that has ended
-- meanwhile lets the next one wait until it asks again by itself.
local function place_is_free()
  local longest = redis.call('ZPOPMIN', key('waiting'))[1]
  if longest then
    redis.call('PUBLISH', key('freed'), longest)
  end
end
