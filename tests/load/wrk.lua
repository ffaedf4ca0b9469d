-- One script for all three operations and both sides. The environment says what to send:
--   LOAD_OPERATION  get, list, create, or paths
--   LOAD_SIDE       ours or bare
--   LOAD_TOKEN      the access token, for ours
--   LOAD_LINES      a file of ids, or of paths, one a line
-- Every request is made before the first is sent, but for the number of what is created, so that wrk takes as little of the machine as it can,
-- and none is looked at when it is answered: wrk itself counts those of 400 and above.

local operation, side = os.getenv("LOAD_OPERATION"), os.getenv("LOAD_SIDE")

local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

local function headers()
   local made = {}
   if side == "ours" then
      made["Authorization"] = "Bearer " .. os.getenv("LOAD_TOKEN")
   end
   return made
end

local function get()
   local path = side == "ours" and "/v1/clients/" or "/client/"
   local made = {}
   for id in io.lines(os.getenv("LOAD_LINES")) do
      made[#made + 1] = wrk.format("GET", path .. id, headers())
   end
   return made
end

local function list()
   return { wrk.format("GET", side == "ours" and "/v1/clients" or "/clients", headers()) }
end

local function paths()
   local made = {}
   for path in io.lines(os.getenv("LOAD_LINES")) do
      made[#made + 1] = wrk.format("GET", path, headers())
   end
   return made
end

-- A client as a person would enter it, who enters each once. The bare handler derives nothing, so it is sent what ours derives.
local function body(n)
   local fields = {
      '"kind":"company"',
      '"name":"Αφοί Παπαδοπούλου Κατασκευαστική ' .. n .. ' Α.Ε."',
      '"legal_name":"Αφοί Παπαδοπούλου Κατασκευαστική Ανώνυμη Εταιρεία ' .. n .. '"',
      '"tax_number":"8' .. n .. '"',
      '"website":"https://papadopoulou' .. n .. '.example"',
      '"phone":"+30 69' .. n .. '"',
      '"emails":[{"kind":"work","address":"info@papadopoulou' .. n .. '.example"}]',
      '"main_address":{"line1":"Σταδίου 28","city":"Αθήνα","postal_code":"10564","country":"GR"}',
      '"sector":"construction"',
      '"size":"11-50"',
      '"roles":["prospect"]',
      '"acquisition_stage":"lead"',
      '"source":"referral"',
      '"lead_category":"warm"',
   }
   if side == "bare" then
      fields[#fields + 1] = '"name_key":"αφοι παπαδοπουλου κατασκευαστικη ' .. n .. ' α.ε."'
      fields[#fields + 1] = '"email_key":"info@papadopoulou' .. n .. '.example"'
      fields[#fields + 1] = '"country":"GR"'
      fields[#fields + 1] = '"search_text":"αφοι παπαδοπουλου κατασκευαστικη ' .. n .. ' α ε ανωνυμη εταιρεια '
         .. '8' .. n .. ' https papadopoulou' .. n .. ' example αθηνα info 3069' .. n .. '"'
   end
   return "{" .. table.concat(fields, ",") .. "}"
end

-- Eight digits stand for its number, which no other request of this run has, nor one of the quarter of an hour around it.
local PLACE = "########"
local parts, slot, sent

local function create()
   local with = headers()
   with["Content-Type"] = "application/json"
   local whole = wrk.format("POST", side == "ours" and "/v1/clients" or "/client", with, body(PLACE))
   parts, slot, sent = {}, 100 + os.time() % 900, 0
   for part in (whole .. PLACE):gmatch("(.-)" .. PLACE) do
      parts[#parts + 1] = part
   end
end

local requests, count

function init(args)
   math.randomseed(number * 7919)
   if operation == "get" then
      requests = get()
   elseif operation == "list" then
      requests = list()
   elseif operation == "paths" then
      requests = paths()
   else
      create()
   end
   count = requests and #requests
end

function request()
   if parts then
      sent = sent + 1
      return table.concat(parts, string.format("%03d%05d", slot, (2 * sent + number) % 100000))
   end
   return requests[math.random(count)]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '\nLOAD {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"max":%d,"refused":%d,"broken":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout
   ))
end
