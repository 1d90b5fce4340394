-- Takes an id off its tenant's list once nothing is known of the document any more: its hash has ended.
-- KEYS list, document's hash; ARGV id
-- Returns 1 if it was taken off.
-- Invariant: an id whose document has a hash stays listed, also one that is accepted meanwhile.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
return redis.call('ZREM', KEYS[1], ARGV[1])
