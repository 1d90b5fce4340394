-- At admission: chooses a replica and counts the job there. What it is bound to at last, `dispatch` says.
-- ARGV job, lease's end
-- Returns the replica's URL; false if there is none.
-- Invariant: a job, whose id is new, is counted on one replica.
local job, ends = ARGV[4], ARGV[5]
local replicas = read(urls('active'))
if #replicas == 0 then
  return false
end
for _, r in ipairs(replicas) do
  look(r)
  r.busy = redis.call('ZCARD', key('inflight', r.url))
end
if s.policy == 'learned' then
  s.policy = Guard.policy(read_guard(), now)
end
local turn = s.policy == 'round-robin' and redis.call('INCR', key('turn')) or 0
local chosen = Policy.reserve(replicas, turn, now, s)
redis.call('ZADD', key('inflight', chosen.url), ends, job)
show_load(chosen.url)
return chosen.url
