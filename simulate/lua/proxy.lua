-- A proxy to measure against: least connections with a limit and a queue, and breakers by active checks alone. What
-- HAProxy's `leastconn`, `maxconn` and `check` do.
local Proxy = {}

function Proxy.fresh(r)
  r.checks_failed, r.checks_passed, r.down = 0, 0, false
end

-- The server with the fewest connections of those below their limit, or nil.
function Proxy.choice(candidates, maxconn)
  local best, ties = nil, 0
  for _, r in ipairs(candidates) do
    if r.running < maxconn then
      if not best or r.running < best.running then
        best, ties = r, 1
      elseif r.running == best.running then
        ties = ties + 1
        if math.random(ties) == 1 then
          best = r
        end
      end
    end
  end
  return best
end

function Proxy.check(r, well, rise, fall)
  if well then
    r.checks_passed, r.checks_failed = r.checks_passed + 1, 0
    r.down = r.down and r.checks_passed < rise
  else
    r.checks_passed, r.checks_failed = 0, r.checks_failed + 1
    r.down = r.down or r.checks_failed >= fall
  end
end
