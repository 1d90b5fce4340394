-- Ends a job's turn on a document, and its progress.
-- KEYS turn, progress; ARGV job
-- Returns 1; 0 if the turn was another's by then.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
