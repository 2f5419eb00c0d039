-- Shared limits over several buckets at once: `bucket-step.ts`, which says what each line means, on Redis.
--
-- KEYS[1]   string: when this store was empty last; whoever saw another one knows that uses were lost
-- KEYS[2…]  hash a bucket: l level (held and used), n no entry ends before (ms), c cu the provider's own
--           limit and its end (ms), b blocked until (ms), t a rate's tat (us), x when Redis forgets it (ms),
--           u<end ms> amount used, h<id> "amount until(ms) moved-to(us)" of a hold
-- ARGV[1]   reserve | settle | extend | lower | sweep
-- ARGV[2]   id of the hold
-- ARGV[3]   by when a reserve must run, ms; 0: any time. Its caller has given up by then.
-- ARGV[4…]  six a bucket: kind, three of its limit, amount, hold ms
--           w window:      permits, length ms, step ms      c concurrency: permits, 0, 0
--           p period:      permits, its end ms, 0           r rate:        burst, interval us, 0
-- ARGV[…]   of lower only: permits, remaining (-1: not told), for ms, blocked ms
-- Returns   {reserved | replay | refused | late | done | ended, now ms, KEYS[1],
--            retry after ms (-1: never), number of the first bucket that refuses, level of each bucket …}
--
-- Time is Redis' own, so that no process' clock matters.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local op, id, deadline = ARGV[1], ARGV[2], tonumber(ARGV[3])
local born = redis.call('GET', KEYS[1])
if not born then
  born = time[1] .. '.' .. time[2]
  redis.call('SET', KEYS[1], born)
end
if deadline > 0 and now >= deadline then return {'late', now, born, -1, 0} end

local function useEnds(b, at)
  if b.kind == 'w' then return (math.floor(at / b.p3) + 1) * b.p3 + b.p2 end
  if b.kind == 'p' then return b.p2 end
  return at
end

local function holdOf(text)
  local amount, till, moved = string.match(text, '^(%S+) (%S+) (%S+)$')
  return tonumber(amount), tonumber(till), tonumber(moved)
end

-- Calls each(kind of entry, field, amount, end) for what is held and used.
local function entries(b, each)
  local all = redis.call('HGETALL', b.key)
  for at = 1, #all, 2 do
    local field, entry = all[at], string.sub(all[at], 1, 1)
    if entry == 'u' then
      each('u', field, tonumber(all[at + 1]), tonumber(string.sub(field, 2)))
    elseif entry == 'h' then
      local amount, till = holdOf(all[at + 1])
      each('h', field, amount, till)
    end
  end
end

local function put(b, field, value)
  b.set[#b.set + 1] = field
  b.set[#b.set + 1] = value
end

local function earlier(b, at)
  if not b.next or at < b.next then
    b.next = at
    put(b, 'n', at)
  end
end

local function lasts(b, at)
  if at > b.last then b.last = at end
end

local function count(b, amount, ends)
  b.level = b.level + amount
  earlier(b, ends)
  lasts(b, ends)
end

-- A use of now, whose step may be there already.
local function use(b, amount)
  if amount == 0 or b.ends <= now then return end
  b.used = b.used + amount
  put(b, 'u' .. b.ends, b.used)
  count(b, amount, b.ends)
end

-- A hold that ended unsettled, as used. Written at once: the bucket's entries may be read after it.
local function useDead(b, amount, at)
  local ends = useEnds(b, at)
  if amount == 0 or ends <= now then return end
  local used = redis.call('HINCRBY', b.key, 'u' .. ends, amount)
  if ends == b.ends then b.used = used end
  count(b, amount, ends)
end

local function drop(b, fields)
  for from = 1, #fields, 1000 do
    redis.call('HDEL', b.key, unpack(fields, from, math.min(from + 999, #fields)))
  end
end

local function sweep(b)
  if not b.next or b.next > now then return end
  local gone, dead = {}, {}
  local next
  entries(b, function(entry, field, amount, ends)
    if ends > now then
      if not next or ends < next then next = ends end
      return
    end
    gone[#gone + 1] = field
    if b.kind ~= 'r' then b.level = b.level - amount end
    if entry == 'h' and b.kind ~= 'r' then dead[#dead + 1] = {amount, ends} end
  end)
  drop(b, gone)
  b.next = next
  put(b, 'n', next or 0)
  for _, hold in ipairs(dead) do useDead(b, hold[1], hold[2]) end
end

local function load(at)
  local from = 4 + (at - 1) * 6
  local b = {
    key = KEYS[at + 1], kind = ARGV[from],
    p1 = tonumber(ARGV[from + 1]), p2 = tonumber(ARGV[from + 2]), p3 = tonumber(ARGV[from + 3]),
    amount = tonumber(ARGV[from + 4]), holdMs = tonumber(ARGV[from + 5]),
    set = {}, last = 0,
  }
  b.ends = useEnds(b, now)
  local has = redis.call('HMGET', b.key, 'l', 'n', 'c', 'cu', 'b', 't', 'h' .. id, 'x', 'u' .. b.ends)
  b.level, b.next = tonumber(has[1] or 0), tonumber(has[2] or 0)
  if b.next == 0 then b.next = nil end
  b.capUntil, b.blocked, b.tat = tonumber(has[4] or 0), tonumber(has[5] or 0), tonumber(has[6] or 0)
  b.forgotten, b.used = tonumber(has[8] or 0), tonumber(has[9] or 0)
  if b.capUntil > now then b.cap = tonumber(has[3]) end
  if has[7] then
    local amount, till, moved = holdOf(has[7])
    if till > now then b.hold = {amount = amount, till = till, moved = moved} end
  end
  b.was = b.level
  sweep(b)
  return b
end

local function save(b)
  if b.level ~= b.was then put(b, 'l', b.level) end
  if #b.set == 0 then return end
  -- It is forgotten when its last entry has ended, or up to a second later: not each call needs to say so.
  local longer = b.last > b.forgotten
  if longer then put(b, 'x', b.last + 1000) end
  redis.call('HSET', b.key, unpack(b.set))
  if longer then redis.call('PEXPIRE', b.key, b.last + 1000 - now) end
end

local function room(b, permits)
  if b.amount > permits then return math.huge end
  local level = b.level
  if level + b.amount <= permits then return now end
  if not b.sorted then
    b.sorted = {}
    entries(b, function(entry, _, amount, ends)
      b.sorted[#b.sorted + 1] = {entry == 'h' and useEnds(b, ends) or ends, amount}
    end)
    table.sort(b.sorted, function(one, other) return one[1] < other[1] end)
  end
  for _, ended in ipairs(b.sorted) do
    level = level - ended[2]
    if level + b.amount <= permits then return ended[1] end
  end
  return now
end

local function opens(b)
  if b.kind == 'r' then
    if b.amount > b.p1 then return math.huge end
    local us = math.max(b.tat, now * 1000) - (b.p1 - b.amount) * b.p2
    return math.max(now, math.ceil(us / 1000), b.blocked)
  end
  local at = room(b, b.p1)
  if b.cap then
    at = math.min(room(b, math.min(b.cap, b.p1)), math.max(at, b.capUntil))
  end
  return math.max(at, b.blocked)
end

local function hold(b, amount, till, moved)
  put(b, 'h' .. id, string.format('%.0f %.0f %.0f', amount, till, moved))
  earlier(b, till)
  lasts(b, useEnds(b, till))
end

local function take(b)
  if b.kind == 'r' then
    b.tat = math.max(b.tat, now * 1000) + b.amount * b.p2
    put(b, 't', b.tat)
    lasts(b, math.ceil(b.tat / 1000))
    if b.holdMs > 0 then hold(b, b.amount, now + b.holdMs, b.tat) end
  elseif b.holdMs > 0 then
    b.level = b.level + b.amount
    hold(b, b.amount, now + b.holdMs, 0)
  else
    use(b, b.amount)
  end
end

local function settle(b)
  if not b.hold then return end
  redis.call('HDEL', b.key, 'h' .. id)
  if b.kind == 'r' then
    local over = (b.amount - b.hold.amount) * b.p2
    if over >= 0 then
      b.tat = math.max(b.tat, now * 1000) + over
    else
      b.tat = b.tat - math.min(-over, math.max(0, b.hold.moved - now * 1000))
    end
    put(b, 't', b.tat)
    lasts(b, math.ceil(b.tat / 1000))
  else
    b.level = b.level - b.hold.amount
    use(b, b.amount)
  end
end

local function lower(b)
  local from = 4 + (#KEYS - 1) * 6
  local permits, remaining = tonumber(ARGV[from]), tonumber(ARGV[from + 1])
  local forMs, blockedMs = tonumber(ARGV[from + 2]), tonumber(ARGV[from + 3])
  if blockedMs > 0 then
    put(b, 'b', math.max(b.blocked, now + blockedMs))
    lasts(b, now + blockedMs)
  end
  if b.kind == 'r' or forMs == 0 or (permits < 0 and remaining < 0) then return end
  local cap = permits >= 0 and permits or math.huge
  if remaining >= 0 then cap = math.min(cap, b.level + remaining) end
  put(b, 'c', cap)
  put(b, 'cu', now + forMs)
  lasts(b, now + forMs)
end

local buckets, word, retry, refusing = {}, 'done', 0, 0
for at = 1, #KEYS - 1 do buckets[at] = load(at) end

if op == 'reserve' then
  word = 'reserved'
  for _, b in ipairs(buckets) do if b.hold then word = 'replay' end end
  if word == 'reserved' then
    local latest = now
    for at, b in ipairs(buckets) do
      local opensAt = opens(b)
      if opensAt > now and refusing == 0 then refusing = at end
      latest = math.max(latest, opensAt)
    end
    if refusing > 0 then
      word = 'refused'
      retry = latest == math.huge and -1 or latest - now
    else
      for _, b in ipairs(buckets) do take(b) end
    end
  end
elseif op == 'settle' then
  for _, b in ipairs(buckets) do settle(b) end
elseif op == 'extend' then
  for _, b in ipairs(buckets) do
    if b.hold then hold(b, b.hold.amount, now + b.holdMs, b.hold.moved) else word = 'ended' end
  end
elseif op == 'lower' then
  for _, b in ipairs(buckets) do lower(b) end
end

local reply = {word, now, born, retry, refusing}
for at, b in ipairs(buckets) do
  save(b)
  reply[5 + at] = b.level
end
return reply
