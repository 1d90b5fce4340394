-- Renews a consumer's lease, by Redis's own clock.
-- KEYS consumers, processing; ARGV consumer, lease (ms)
-- Returns how many messages Redis holds for the consumer.
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
return redis.call('LLEN', KEYS[2])
