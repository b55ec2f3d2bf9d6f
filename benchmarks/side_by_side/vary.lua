-- Requests of which each has a path and a cookie of its own.

local count = 0

request = function()
  count = count + 1
  local headers = {["Cookie"] = "session=" .. count, ["Accept"] = "*/*"}
  return wrk.format("GET", "/items/" .. count .. "?page=" .. count % 10, headers)
end
