-- Which replicas are to be asked now whether they are well: those that no call has told anything of for a while. A claim
-- keeps the other workers from asking the same.
-- ARGV interval (ms)
-- Returns URLs.
local interval = tonumber(ARGV[4])
local due = {}
for _, r in ipairs(read(urls('active', 'draining'))) do
  local quiet = now - r.heard_at >= interval and redis.call('ZCARD', key('running', r.url)) == 0
  local asked = r.breaker == 'closed' or Replica.admits(r, now) == 'probe'
  if quiet and asked and redis.call('SET', key('asked', r.url), 1, 'NX', 'PX', interval) then
    due[#due + 1] = r.url
  end
end
return due
