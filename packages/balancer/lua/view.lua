-- What is known of every replica, as JSON: an array of objects.
local seen = read(urls('active', 'draining'))
for _, r in ipairs(seen) do
  look(r)
  r.state = redis.call('HGET', key('replicas'), r.url)
  r.load = redis.call('ZCARD', key('inflight', r.url))
end
return #seen == 0 and '[]' or cjson.encode(seen)
