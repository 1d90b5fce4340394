-- Put before every script that completes jobs.
-- A job may have a successor: a message of another queue that is pushed in the same step as the job is completed,
-- whichever way it ends, with the completion in it. It waits in a hash at the completion's key and ':then':
--   queue    the list that it goes to
--   message  a JSON object without its closing brace
-- Invariant: a successor is pushed once, and only with the completion that stands.
local function follow(completion_key, completion)
  local key = completion_key .. ':then'
  local queue, message = unpack(redis.call('HMGET', key, 'queue', 'message'))
  if not queue then
    return
  end
  local time = redis.call('TIME')
  local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('LPUSH', queue, message .. ',"completed_at":' .. now .. ',"completion":' .. completion .. '}')
  redis.call('DEL', key)
end

