-- How many messages wait in a queue, its lanes included; put after lanes.lua.
-- KEYS queue
-- Returns the number.
return (waiting(KEYS[1], {}))
