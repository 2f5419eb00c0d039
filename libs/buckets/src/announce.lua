-- Says that a process lives, and counts those that do.
--
-- KEYS[1]  sorted set: the processes of one group, scored by when they were heard last, ms
-- ARGV[1]  this process
-- ARGV[2]  silence after which one counts as gone, ms
-- Returns  how many live
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
