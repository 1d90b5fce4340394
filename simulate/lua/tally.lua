-- What came of it: latencies in a histogram of logarithmic buckets, 0.5 % wide, from 0.01 ms.
local PER_E = 200
local LEAST_MS = 0.01
local offset = floor(log(LEAST_MS) * PER_E)

local Histogram = {}

function Histogram.fresh()
  return { count = 0, sum = 0, least = math.huge, most = 0, buckets = {} }
end

function Histogram.add(h, ms)
  local bucket = ms > LEAST_MS and floor(log(ms) * PER_E) - offset or 0
  h.buckets[bucket] = (h.buckets[bucket] or 0) + 1
  h.count = h.count + 1
  h.sum = h.sum + ms
  if bucket < h.least then
    h.least = bucket
  end
  if bucket > h.most then
    h.most = bucket
  end
end

-- The latency that the share `q` of all does not exceed, ms.
function Histogram.percentile(h, q)
  local rank, seen = q * h.count, 0
  for bucket = h.count > 0 and h.least or 1, h.most do
    seen = seen + (h.buckets[bucket] or 0)
    if seen >= rank then
      return exp((bucket + offset + 0.5) / PER_E)
    end
  end
  return 0
end
