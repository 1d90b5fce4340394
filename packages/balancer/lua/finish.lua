-- A call is over: what it tells of its replica, and, unless the job tries another one, the job's count.
-- ARGV job, call, URL, `ok`, `failed`, `silent` (as `silent.lua` said) or `aborted`, latency (ms), `last` or `again`,
--      time to the first token (ms; -1 if there was none), length of the prompt (UTF-16 code units)
-- Returns {breaker before, breaker after}.
-- Invariant: a worker that lost its job to another changes no count of it.
local job, call, url, outcome, latency, last = ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9] == 'last'
local first_ms, chars = tonumber(ARGV[10]), tonumber(ARGV[11])
local r = read({ url })[1]
r.running = redis.call('ZCARD', key('running', url))
local before = r.breaker
if first_ms >= 0 then
  Silence.first_token(r, first_ms, chars)
end
if outcome == 'ok' then
  Replica.succeeded(r, now, call, latency, r.running, s)
elseif outcome == 'failed' then
  Replica.failed(r, now, call, latency, math.random(), s)
else
  Replica.aborted(r, call)
end
if s.policy == 'learned' and outcome ~= 'aborted' then
  local guard = read_guard()
  Guard.hear(guard, now - latency, outcome == 'ok' and latency or Replica.counts_for(r, latency, s))
  redis.call('SET', key('guard'), cmsgpack.pack(guard))
end
if redis.call('HEXISTS', key('replicas'), url) == 1 then
  write(r)
end
if redis.call('HGET', key('calls'), job) == url .. ' ' .. call then
  redis.call('ZREM', key('running', url), job)
  if last then
    uncount(job, url)
  end
  place_is_free()
end
return { before, r.breaker }
