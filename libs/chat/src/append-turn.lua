-- Adds a turn to a channel's conversation; the same turn again, or a later answer to the same message,
-- takes the place of the first.
--
-- KEYS[1]  sorted set: the channel's turns as JSON, scored by when their message was written
-- ARGV[1]  that time, ms since Discord's epoch
-- ARGV[2]  how the JSON of every turn of this message begins
-- ARGV[3]  the turn as JSON
-- ARGV[4]  turns kept at most
-- ARGV[5]  time to live of a quiet channel, ms
-- Returns  turns that are kept now
for _, turn in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[1], 'BYSCORE')) do
  if string.sub(turn, 1, #ARGV[2]) == ARGV[2] then redis.call('ZREM', KEYS[1], turn) end
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return redis.call('ZCARD', KEYS[1])
