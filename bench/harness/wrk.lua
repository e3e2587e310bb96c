-- One thread of wrk: sends the bodies of a file (a line each) in their order and prints what it saw as one line of JSON.
-- Arguments: path, file of bodies, and a prefix of Idempotency-Keys if every request is to have one. Headers come by -H.
local requests = {}
local path, keyPrefix
local keys = 0
local nextIndex = 0

function init(args)
  path, keyPrefix = args[1], args[3]
  for line in io.lines(args[2]) do
    requests[#requests + 1] = keyPrefix and line or wrk.format('POST', path, nil, line)
  end
end

function request()
  nextIndex = nextIndex + 1
  local text = requests[nextIndex]
  if nextIndex >= #requests then nextIndex = 0 end
  if keyPrefix == nil then return text end
  keys = keys + 1
  wrk.headers['idempotency-key'] = keyPrefix .. keys
  return wrk.format('POST', path, nil, text)
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,' ..
      '"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"cpu_s":%f}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect, errors.read, errors.write, errors.timeout, os.clock()))
end
