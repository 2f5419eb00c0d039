-- Takes a place for a job under the bounds of its user and its guild, or says which bound is met.
--
-- KEYS[1]  sorted set: the user's jobs, scored by the end of their hold (ms since the Unix epoch)
-- KEYS[2]  sorted set: the guild's jobs, likewise; not touched when ARGV[4] is 0
-- ARGV[1]  job id
-- ARGV[2]  how long the place is held at most, ms
-- ARGV[3]  bound of the user
-- ARGV[4]  bound of the guild; 0 for a direct message
-- Returns  {'admitted' | 'replay' | 'user' | 'guild', retry at (ms since the Unix epoch; 0 when admitted)}
--
-- Time is Redis' own. A call that runs late, after its caller gave up, takes a place that the job's
-- ending gives back or that expires.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local job, hold, perUser, perGuild = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function full(key, bound)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) < bound then return false end
  return redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
end

local function take(key)
  redis.call('ZADD', key, now + hold, job)
  -- The set lives as long as its longest hold.
  if redis.call('PTTL', key) < hold then redis.call('PEXPIRE', key, hold) end
end

local held = redis.call('ZSCORE', KEYS[1], job)
if held and tonumber(held) > now then return {'replay', 0} end

local retryAt = full(KEYS[1], perUser)
if retryAt then return {'user', tonumber(retryAt)} end
if perGuild > 0 then
  retryAt = full(KEYS[2], perGuild)
  if retryAt then return {'guild', tonumber(retryAt)} end
  take(KEYS[2])
end
take(KEYS[1])
return {'admitted', 0}
