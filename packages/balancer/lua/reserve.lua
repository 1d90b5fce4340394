-- Chooses the replica with the fewest jobs in flight and counts the job there.
-- KEYS load, inflight of each replica in turn
-- ARGV job id, lease's end (epoch ms), random number, index of a replica that the job leaves (0 for none),
--      indexes of replicas not to choose ...
-- Returns the index of the chosen replica, from 1; 0 if the job leaves a replica that no longer counts it;
--      -1 if no replica may be chosen.
-- Invariant: `load` is the number of unexpired leases in `inflight`; a job is counted on at most one replica.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local replicas = #KEYS / 2
local leaving = tonumber(ARGV[4])

local excluded = {}
for i = 5, #ARGV do
  excluded[tonumber(ARGV[i])] = true
end

local fewest, candidates = nil, {}
for i = 1, replicas do
  local inflight = KEYS[2 * i]
  redis.call('ZREMRANGEBYSCORE', inflight, '-inf', now)
  if not excluded[i] then
    local load = redis.call('ZCARD', inflight)
    if not fewest or load < fewest then
      fewest, candidates = load, { i }
    elseif load == fewest then
      candidates[#candidates + 1] = i
    end
  end
end
if #candidates == 0 then
  return -1
end

-- The number expires with its last lease: a crashed gateway's jobs leave it without anybody's help.
local function count(i)
  local load, inflight = KEYS[2 * i - 1], KEYS[2 * i]
  local last = redis.call('ZRANGE', inflight, -1, -1, 'WITHSCORES')[2]
  if last then
    redis.call('SET', load, redis.call('ZCARD', inflight), 'PXAT', last)
    redis.call('PEXPIREAT', inflight, last)
  else
    redis.call('DEL', load)
  end
end

if leaving > 0 then
  if redis.call('ZREM', KEYS[2 * leaving], ARGV[1]) == 0 then
    return 0
  end
  count(leaving)
end
local chosen = candidates[tonumber(ARGV[3]) % #candidates + 1]
redis.call('ZADD', KEYS[2 * chosen], ARGV[2], ARGV[1])
count(chosen)
return chosen
