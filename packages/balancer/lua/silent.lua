-- A call has no token yet: whether that is as its replica hangs.
-- ARGV URL, call, its age (ms), length of its prompt (UTF-16 code units)
-- Returns {after how many ms to ask again, breaker before, breaker after}: 0 ms if it hangs, -1 if there is no telling.
-- Invariant: a hang is one failure, however many calls ask.
local url, call, age, chars = ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local all = read(urls('active', 'draining'))
for _, r in ipairs(all) do
  if r.url == url then
    local before = r.breaker
    local again, news = Silence.look(r, all, now - age, chars, now, s)
    if news then
      Replica.fell_silent(r, now, call, math.random(), s)
      write(r)
    end
    return { string.format('%.0f', again and math.ceil(again) or -1), before, r.breaker }
  end
end
return { '-1', 'closed', 'closed' }
