-- Whether a replica that has calls, and gives no sign of life, hangs. Pure, as `replica.lua`.
--
-- awake  tokens come, calls are answered: each is a sign of life. A failure is none: nobody could turn to it.
-- hung   no sign for longer than its first tokens take, though another replica was heard meanwhile. Its calls that have
--        no token yet are made again elsewhere, each job's once, and it gets no others.
-- back   it gives a sign again. One call goes there: answered, it is awake; silent again, it is hung, and from then on
--        tried as seldom as any replica that is passed over, however well its health check says it is.
local Silence = {}

-- First tokens that must be known before one is late.
local LEAST_FIRSTS = 20
-- As for TCP's retransmission (RFC 6298): mean and mean deviation, of logarithms here, and four deviations beyond.
local FIRST_GAIN, DEVIATION_GAIN, DEVIATIONS = 1 / 16, 1 / 8, 4
-- So long a pause, of the replica or of a worker, is no hang, ms.
local LEAST_PATIENCE_MS = 500
-- While no other replica is heard either, part of its patience until it is looked at again.
local LOOK_AGAIN = 0.25

-- A call that had `chars` of prompt gave its first token after `ms`.
function Silence.first_token(r, ms, chars)
  local log = math.log(math.max(ms, 1))
  if r.firsts == 0 then
    r.first, r.first_deviation, r.chars = log, 0.5, chars
  else
    r.first_deviation = r.first_deviation + DEVIATION_GAIN * (math.abs(log - r.first) - r.first_deviation)
    r.first = r.first + FIRST_GAIN * (log - r.first)
    r.chars = r.chars + FIRST_GAIN * (chars - r.chars)
  end
  r.firsts = math.min(r.firsts + 1, LEAST_FIRSTS)
end

-- Silence of so many ms, with a prompt of `chars` under way, means that it hangs; nil where too little is known to say.
-- A longer prompt than usual may take longer, in proportion.
function Silence.patience(r, chars, s)
  if s.hang_factor == 0 or r.firsts < LEAST_FIRSTS then
    return nil
  end
  local longer = r.chars > 0 and math.max(1, chars / r.chars) or 1
  return math.max(LEAST_PATIENCE_MS, s.hang_factor * longer * math.exp(r.first + DEVIATIONS * r.first_deviation))
end

-- Whether it is known to hang.
function Silence.hangs(r)
  return r.hung_at > 0
end

-- A call that began at `began` has no token yet: 0 if that is as the replica hangs, and whether this is news; else after
-- how many ms to ask again; nil for not at all. `all` are the replicas, this one among them.
function Silence.look(r, all, began, chars, now, s)
  local patience = Silence.patience(r, chars, s)
  if not patience then
    return nil
  end
  if r.hung_at > 0 and r.sign_at <= r.hung_at and began <= r.hung_at then
    return 0, false
  end
  local since = math.max(r.sign_at, began)
  if now - since < patience then
    return patience - (now - since)
  end
  for _, other in ipairs(all) do
    if other.url ~= r.url and other.sign_at > since then
      return 0, true
    end
  end
  -- All are silent: then it is not this one that hangs, and there is nowhere to turn to.
  return patience * LOOK_AGAIN
end

-- A token came, of any of its calls.
function Silence.sign(r, now)
  r.sign_at = now
  if r.hung_at > 0 and r.back_at == 0 then
    r.back_at = now
  end
end

-- It was asked whether it is well, and is.
function Silence.well(r, now)
  if r.hung_at > 0 and r.back_at == 0 and r.relapses == 0 then
    r.back_at = now
  end
end
