-- Moves messages to the taker's own list: one alone from the retry lane, else up to n from the queue, tenants in turn.
-- KEYS queue, processing, retry; ARGV n, how many messages the taker holds
-- Returns {lane, message ...}, oldest first. The lane is `queue`; `retry` for a message that must be handled
--   alone; or `drain` (with no message) while the retry lane waits for the taker to hold nothing.
-- Invariant: a message is in the queue (or a lane of it, see lanes.lua), the retry lane or exactly one processing list,
--   never in none.
-- A message of the retry lane was held by a consumer that died: alone, it can only take itself down again.
if redis.call('EXISTS', KEYS[3]) == 1 then
  if tonumber(ARGV[2]) > 0 then
    return { 'drain' }
  end
  return { 'retry', redis.call('LMOVE', KEYS[3], KEYS[2], 'RIGHT', 'LEFT') }
end
local turns = redis.call('EXISTS', KEYS[1] .. ':lanes') == 1
if turns and redis.call('EXISTS', KEYS[1]) == 0 then
  stage(KEYS[1], 'LEFT')
end
-- One LMOVE a message, though RPOP and LPUSH take several: it is logged by its keys alone, without the payload.
local taken = { 'queue' }
for i = 1, tonumber(ARGV[1]) do
  local message = redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
  if not message then
    break
  end
  taken[i + 1] = message
  if turns then
    stage_after(KEYS[1], message)
  end
end
return taken
