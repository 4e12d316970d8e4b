-- What the load is: wrk --script workloads.lua URL -- WORKLOAD LISTS
-- LISTS is how many lists there are, with ids from 1. Where there are tasks, each list has 100.

local json = { ["Content-Type"] = "application/json" }
local count = 0
local request_of = {}

-- Each request in turn takes the next id, for no row to be favoured.
local function following(rows)
  count = count + 1
  return count % rows + 1
end

local function put(id, headers)
  return wrk.format("PUT", "/lists/" .. id, headers, '{"name": "changed ' .. count .. '"}')
end

request_of["list"] = function()
  return wrk.format("GET", "/lists")
end

request_of["read"] = function(rows)
  return wrk.format("GET", "/lists/" .. following(rows))
end

request_of["create"] = function()
  count = count + 1
  return wrk.format("POST", "/lists", json, '{"name": "list ' .. count .. '"}')
end

-- Of ten requests three list, six read one and one changes one.
request_of["mix"] = function(rows)
  local id = following(rows)
  local turn = count % 10
  if turn == 0 then
    return put(id, json)
  elseif turn <= 3 then
    return request_of["list"]()
  end
  return wrk.format("GET", "/lists/" .. id)
end

request_of["tasks"] = function(lists)
  return wrk.format("GET", "/lists/" .. following(lists) .. "/tasks")
end

request_of["read task"] = function(lists)
  return wrk.format("GET", "/tasks/" .. following(lists * 100))
end

request_of["create task"] = function(lists)
  local path = "/lists/" .. following(lists) .. "/tasks"
  return wrk.format("POST", path, json, '{"title": "new ' .. count .. '", "due": "2027-02-28"}')
end

-- The tasks are completed in one turn and become open again in the next.
request_of["change task"] = function(lists)
  local id = following(lists * 100)
  local completed = tostring(math.floor(count / (lists * 100)) % 2 == 0)
  local body = '{"title": "changed ' .. count .. '", "completed": ' .. completed .. "}"
  return wrk.format("PATCH", "/tasks/" .. id, json, body)
end

-- A list that is being changed is not changed again before the answer tells its new version.
local known = {}

local function learn(status, headers, body)
  local id, version = body:match('"id": ?(%d+)'), body:match('"version": ?(%d+)')
  if id then
    table.insert(known, { id = id, version = version })
  end
end

request_of["update"] = function()
  count = count + 1
  local list = table.remove(known, 1)
  local headers = { ["Content-Type"] = "application/json", ["If-Match"] = '"' .. list.version .. '"' }
  return put(list.id, headers)
end

-- The page at a path of its own.
request_of["path"] = function(path)
  return wrk.format("GET", path)
end

function init(arguments)
  local workload, argument = arguments[1], arguments[2]
  local rows = tonumber(argument) or argument
  request = function()
    return request_of[workload](rows)
  end
  if workload == "update" then
    for id = 1, rows do
      known[id] = { id = id, version = 1 }
    end
    response = learn
  end
end

-- Requests, microseconds, failures, and the median and 99th percentile of a request's microseconds.
function done(summary, latency)
  local e = summary.errors
  local failures = e.status + e.connect + e.read + e.write + e.timeout
  io.write(string.format("\nRESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    failures, latency:percentile(50), latency:percentile(99)))
end
