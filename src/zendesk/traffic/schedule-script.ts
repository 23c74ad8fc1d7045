import { RedisScript } from '../../redis/script.js'

/**
 * LocalSchedule in Lua, for Redis: its scripts are atomic, and its clock is the same for all. Times are milliseconds; they
 * travel as text, since Lua's own rendering of numbers drops digits.
 *
 * KEYS[1] a hash. For all endpoints: due, last (the start of the latest slot), the budget of the service that reserved it,
 * gap, gapUntil and gapAt (the newest gap that a replica was told), seen (the latest time) and offset. For each endpoint:
 * paused, probe and awaiting. ARGV: the operation, the endpoint, then numbers.
 */
export const SCHEDULE_SCRIPT = new RedisScript(`
local clock = redis.call('TIME')
local field = {}
for _, each in ipairs({ 'paused', 'probe', 'awaiting' }) do field[each] = ARGV[2] .. '.' .. each end
local state = redis.call('HMGET', KEYS[1], 'due', 'seen', 'offset', 'budget', field.paused, field.probe, field.awaiting,
  'last', 'gap', 'gapUntil', 'gapAt')
local due, seen, offset = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
local budget = state[4]
local paused, probe, awaiting = tonumber(state[5] or 0), tonumber(state[6] or 0), state[7] == '1'
local last = tonumber(state[8] or 0)
local gap, gapUntil, gapAt = tonumber(state[9] or 0), tonumber(state[10] or 0), tonumber(state[11] or 0)

-- A clock that never goes back: when that of Redis is set back, or a server with a slower one takes over, waits stay as
-- long as they were.
local now = clock[1] * 1000 + clock[2] / 1000 + offset
local back = math.max(seen - now, 0)
offset, now = offset + back, now + back

-- Nobody reserves a slot that far ahead: at most a deadline (two minutes), the burst and an interval (a minute each).
if due > now + 5 * 60 * 1000 then
  back, due, last = due - now, now, 0
end

local function text(number) return string.format('%.3f', number) end

local function keep()
  redis.call('HSET', KEYS[1], 'due', text(due), 'last', text(last), 'gap', text(gap), 'gapUntil', text(gapUntil),
    'gapAt', text(gapAt), 'seen', text(now), 'offset', text(offset), 'budget', budget or '',
    field.paused, text(paused), field.probe, text(probe), field.awaiting, awaiting and '1' or '0')
  local needed = math.ceil(math.max(due, paused, probe, now) - now) + 60 * 1000
  -- Another endpoint may need it for longer.
  redis.call('PEXPIRE', KEYS[1], math.max(needed, redis.call('PTTL', KEYS[1])))
end

local function take(longest, remaining, reserved, interval, tolerance, counted)
  if now < paused then return { 'pause', text(paused - now), '0' } end
  if awaiting and now < probe then return { 'probe', text(probe - now), '0' } end
  if not reserved then
    -- What a replica counted while it could not reach Redis is spent as well.
    due = math.max(due, now + counted)
    -- Without a budget there are no slots, whatever others have reserved.
    local wait = interval > 0 and due - tolerance - now or 0
    -- A gap alone never makes a wait too long.
    if interval > 0 and now < gapUntil then wait = math.max(wait, math.min(last + gap - now, longest)) end
    if wait > longest then return { 'budget', text(wait), '0' } end
    due, last = math.max(due, now) + interval, now + math.max(wait, 0)
    if wait > 0 then
      keep()
      return { 'budget', text(wait), '1' }
    end
  end
  if awaiting then probe = math.floor(now + remaining) end
  keep()
  return { 'go', '0', awaiting and text(probe) or '' }
end

local function learnGap(milliseconds, valid, age)
  if age < 0 or now - age < gapAt then return end
  gap, gapUntil, gapAt = milliseconds, now + valid, now - age
end

local function pause(milliseconds)
  paused, awaiting, probe = math.max(paused, now + milliseconds), true, 0
  keep()
end

local function settled(which, answered)
  if which ~= probe then return end
  awaiting, probe = not answered, 0
  keep()
end

if ARGV[1] == 'take' then
  local longest, remaining, reserved = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
  local others = budget
  budget = ARGV[9]
  learnGap(tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]))
  local slot = take(longest, remaining, reserved, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]))
  slot[4], slot[5] = text(back), others or ''
  return slot
end
if ARGV[1] == 'pause' then pause(tonumber(ARGV[3])) end
if ARGV[1] == 'settled' then settled(tonumber(ARGV[3]), ARGV[4] == '1') end
return {}
`)
