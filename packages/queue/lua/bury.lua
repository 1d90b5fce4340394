-- Lays a message aside as a dead letter and, where its caller is known, tells it at once.
-- KEYS processing, dead, [completion key]
-- ARGV message, dead letter, most dead letters, [seconds to keep, completion, channel, job id]
-- Returns how many dead letters there are now, those over the limit included; 0 if the message was not held here.
-- Invariant: a message leaves the taker's list only into the dead letters.
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then
  return 0
end
local letters = redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
if KEYS[3] then
  if redis.call('SET', KEYS[3], ARGV[5], 'NX', 'EX', ARGV[4]) then
    redis.call('PUBLISH', ARGV[6], ARGV[7])
    follow(KEYS[3], ARGV[5])
  end
end
return letters
