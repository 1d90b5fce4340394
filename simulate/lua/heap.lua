-- Events to come, the earliest first: a binary heap in three arrays, so that an event makes no table of its own.
-- An event is of a `holder` (a job, or a replica that shares itself) and holds only while the holder's token is its own:
-- what is called off is passed over rather than searched for.
local heap_at, heap_holder, heap_token, heap_size = {}, {}, {}, 0

local function plan(at, holder, token)
  local i = heap_size + 1
  heap_size = i
  while i > 1 do
    local parent = i >> 1
    if heap_at[parent] <= at then
      break
    end
    heap_at[i], heap_holder[i], heap_token[i] = heap_at[parent], heap_holder[parent], heap_token[parent]
    i = parent
  end
  heap_at[i], heap_holder[i], heap_token[i] = at, holder, token
end

-- Takes the earliest event: its holder and its token.
local function take_event()
  local holder, token = heap_holder[1], heap_token[1]
  local n = heap_size
  local at, last_holder, last_token = heap_at[n], heap_holder[n], heap_token[n]
  heap_at[n], heap_holder[n], heap_token[n] = nil, nil, nil
  n = n - 1
  heap_size = n
  if n > 0 then
    local i = 1
    while true do
      local child = i << 1
      if child > n then
        break
      end
      if child < n and heap_at[child + 1] < heap_at[child] then
        child = child + 1
      end
      if heap_at[child] >= at then
        break
      end
      heap_at[i], heap_holder[i], heap_token[i] = heap_at[child], heap_holder[child], heap_token[child]
      i = child
    end
    heap_at[i], heap_holder[i], heap_token[i] = at, last_holder, last_token
  end
  return holder, token
end
