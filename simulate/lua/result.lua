-- What came of the run, as `Result` in simulate/simulation.ts has it.
local shares = {}
for i, r in ipairs(replicas) do
  shares[i] = { calls = r.calls, answers = r.answers, failures = r.failures }
end
local course = {}
for i, slice in ipairs(slices) do
  course[i] = { p50 = Histogram.percentile(slice, 0.5), p99 = Histogram.percentile(slice, 0.99) }
end
return {
  counted = counted,
  answered = all.count,
  errors = errors,
  late = late,
  retries = retries,
  moves = moves,
  probes = probes,
  silences = silences,
  longest_line = longest_line,
  falls_back = guard.falls_back,
  simulated_ms = now - EPOCH,
  mean_ms = all.count > 0 and all.sum / all.count or 0,
  mean_wait_ms = all.count > 0 and waited_sum / all.count or 0,
  p50 = Histogram.percentile(all, 0.5),
  p95 = Histogram.percentile(all, 0.95),
  p99 = Histogram.percentile(all, 0.99),
  p999 = Histogram.percentile(all, 0.999),
  replicas = shares,
  course = course,
}
