-- When it is a waiting message's turn (see lanes.lua).
-- KEYS queue; ARGV its tenant, its place in the tenant's lane (1 being taken next)
-- Returns its place among all that wait, as long as nobody new comes; 0 where its tenant has no lane.
local lanes, weights = KEYS[1] .. ':lanes', KEYS[1] .. ':weights'
local start = redis.call('ZSCORE', lanes, ARGV[1])
if not start then
  return 0
end
local turn = start + (ARGV[2] - 1) / redis.call('HGET', weights, ARGV[1])
local place = redis.call('LLEN', KEYS[1]) + ARGV[2]
local others = redis.call('ZRANGE', lanes, 0, -1, 'WITHSCORES')
for i = 1, #others, 2 do
  local other, first = others[i], tonumber(others[i + 1])
  if other ~= ARGV[1] and first <= turn then
    -- Those that start before it; of equal ones, the tenant that comes first by name.
    local turns = math.floor((turn - first) * redis.call('HGET', weights, other) + 1e-9)
    local even = math.abs(first + turns / redis.call('HGET', weights, other) - turn) < 1e-9
    local before = turns + ((even and other > ARGV[1]) and 0 or 1)
    place = place + math.min(before, redis.call('LLEN', KEYS[1] .. ':lane:' .. other))
  end
end
return place
