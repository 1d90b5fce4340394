-- What came of the run, as `Result` in simulate/simulation.ts has it.
local shares = {}
for i, r in ipairs(replicas) do
  shares[i] = { calls = r.calls, answers = r.answers, failures = r.failures }
end
local course = {}
for i, slice in ipairs(Books.slices) do
  course[i] = { p50 = Histogram.percentile(slice, 0.5), p99 = Histogram.percentile(slice, 0.99) }
end
return {
  counted = Books.counted,
  answered = Books.all.count,
  errors = Books.errors,
  late = Books.late,
  retries = retries,
  moves = moves,
  probes = probes,
  silences = silences,
  longest_line = Waiting.longest,
  falls_back = guard.falls_back,
  simulated_ms = now - EPOCH,
  mean_ms = Books.all.count > 0 and Books.all.sum / Books.all.count or 0,
  mean_wait_ms = Books.all.count > 0 and Books.waited_sum / Books.all.count or 0,
  p50 = Histogram.percentile(Books.all, 0.5),
  p95 = Histogram.percentile(Books.all, 0.95),
  p99 = Histogram.percentile(Books.all, 0.99),
  p999 = Histogram.percentile(Books.all, 0.999),
  replicas = shares,
  course = course,
}
