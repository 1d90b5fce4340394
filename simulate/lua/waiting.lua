-- Jobs that wait for a place, in order: those that come again, as a replica failed them, before those that come first.
local Waiting = { longest = 0, wake_at = math.huge }

-- A job that waits asks again after this at the latest, ms.
local ASK_AGAIN_MS = 1000

local comes_first = { from = 1, to = 0 }
local comes_again = { from = 1, to = 0 }

local function put(list, job)
  list.to = list.to + 1
  list[list.to] = job
end

local function take_from(list, try)
  while list.from <= list.to and try(list[list.from]) do
    list[list.from] = nil
    list.from = list.from + 1
  end
end

function Waiting.empty()
  return comes_first.from > comes_first.to and comes_again.from > comes_again.to
end

function Waiting.add(job, now)
  put(comes_first, job)
  Waiting.longest = math.max(Waiting.longest, comes_first.to - comes_first.from + 1)
  Waiting.wake_at = math.min(Waiting.wake_at, now + ASK_AGAIN_MS)
end

-- Whoever adds it serves soon, and so plans when it asks again.
function Waiting.add_again(job)
  put(comes_again, job)
end

-- As many of them as `try` has a place for.
function Waiting.serve(try, now)
  take_from(comes_again, try)
  take_from(comes_first, try)
  Waiting.wake_at = Waiting.empty() and math.huge or now + ASK_AGAIN_MS
end
