-- At admission: chooses a replica and counts the job there. What it is bound to at last, `dispatch` says.
-- ARGV job, lease's end
-- Returns the replica's URL; false if there is none.
-- Invariant: a job, whose id is new, is counted on one replica.
local job, ends = ARGV[4], ARGV[5]
local healthy, all = {}, {}
for _, r in ipairs(read(urls('active'))) do
  look(r)
  r.busy = redis.call('ZCARD', key('inflight', r.url))
  -- It may wait in line there: only the order of the costs counts.
  r.room = math.max(r.room, r.busy + 1)
  all[#all + 1] = r
  if Replica.admits(r, now) == 'yes' then
    healthy[#healthy + 1] = r
  end
end
if #all == 0 then
  return false
end
local candidates = #healthy > 0 and healthy or all
local turn = s.policy == 'round-robin' and redis.call('INCR', key('turn')) or 0
local chosen = Policy.choose(s.policy, candidates, turn) or candidates[1]
redis.call('ZADD', key('inflight', chosen.url), ends, job)
show_load(chosen.url)
return chosen.url
