-- Each request asks for other images: another seed. BENCH_PATH is the address, BENCH_IMAGES the
-- number of images, BENCH_FORMAT the format if there is one.
local seed, path, images, format = 0, os.getenv("BENCH_PATH"), os.getenv("BENCH_IMAGES"), os.getenv("BENCH_FORMAT")
local body = '{"class": "7", "seed": %d, "style": [0.5, -0.5], "n": ' .. images
if format then
  body = body .. ', "format": "' .. format .. '"'
end
body = body .. "}"

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

request = function()
  seed = seed + 1
  return wrk.format(nil, path, nil, body:format(seed))
end
