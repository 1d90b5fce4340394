-- A replica gives a sign of life between the ends of its calls.
-- ARGV URL, `token` (of any call) or `well` (it was asked whether it is)
-- Returns 1 if it was taken to hang; else 0.
local url, sign = ARGV[4], ARGV[5]
if redis.call('HEXISTS', key('replicas'), url) == 0 then
  return 0
end
local r = read({ url })[1]
local hung = Silence.hangs(r)
if sign == 'token' then
  Silence.sign(r, now)
else
  Silence.well(r, now)
end
write(r)
if hung then
  place_is_free()
end
return hung and 1 or 0
