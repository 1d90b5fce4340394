-- Looks for a job in a part of a list of messages, which are taken from the right.
-- KEYS list; ARGV job id as JSON has it, how many messages from the right to skip, how many to look at
-- Returns the job's place, 1 being taken next; 0 where it is not there; -1 where the list has no more.
-- A part at a time, as Redis does nothing else meanwhile.
local skip = tonumber(ARGV[2])
local messages = redis.call('LRANGE', KEYS[1], -skip - tonumber(ARGV[3]), -skip - 1)
if #messages == 0 then
  return -1
end
local wanted = '"job_id":' .. ARGV[1]
for i = #messages, 1, -1 do
  if string.find(messages[i], wanted, 1, true) then
    return skip + #messages - i + 1
  end
end
return 0
