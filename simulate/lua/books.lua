-- The books: what became of each job, those of the warm-up left out.
local Books = { over = 0, counted = 0, errors = 0, late = 0, waited_sum = 0, all = Histogram.fresh(), slices = {} }
for i = 1, config.slices do
  Books.slices[i] = Histogram.fresh()
end
local per_slice = math.max(1, math.ceil(config.queries / config.slices))
local skip = floor(config.queries * config.warm_up)

function Books.close(job, ok, now)
  Books.over = Books.over + 1
  if job.number <= skip then
    return
  end
  Books.counted = Books.counted + 1
  local latency = now - job.came
  if not ok then
    Books.errors = Books.errors + 1
  elseif latency > config.deadline_ms then
    Books.late = Books.late + 1
  else
    Histogram.add(Books.all, latency)
    Histogram.add(Books.slices[(job.number - 1) // per_slice + 1], latency)
    Books.waited_sum = Books.waited_sum + latency - job.work - job.line_ms
  end
end
