-- Puts the message of one dead letter back into its queue, as the last of its tenant.
-- KEYS dead letters, queue, completion of its job
-- ARGV the letter as it lies there, the message, tenant, weight (as of `push` in lanes.lua)
-- Returns 1, or 0 if the letter was not there any more.
-- Invariant: a letter's message enters the queue only as the letter leaves, so two retries at once are one.
-- Looked for from the oldest end: a retry of all finds each at once.
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then
  return 0
end
-- Of completions the first stands: the old one would keep the new one out.
redis.call('DEL', KEYS[3])
push(KEYS[2], ARGV[2], ARGV[3], ARGV[4])
return 1
