/**
 * LocalSchedule in Lua, for Redis: its scripts are atomic, and its clock is the same for all. Times are milliseconds since
 * the epoch; they travel as text, since Lua's own rendering of numbers drops digits.
 *
 * KEYS[1] a hash: due, and paused, doubt and scout of each name. ARGV: what happened, to which name, then its numbers.
 */
export const SCHEDULE_SCRIPT = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local field = {}
for _, each in ipairs({ 'paused', 'scout', 'doubt' }) do field[each] = ARGV[2] .. '.' .. each end
local state = redis.call('HMGET', KEYS[1], 'due', field.paused, field.scout, field.doubt)
local due, paused, scout = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
local doubt = state[4] == '1'

-- No turn is booked and no pause lasts that long: the clock was set back.
local horizon = now + 15 * 60 * 1000
if due > horizon then due = 0 end
if paused > horizon then paused = 0 end
if scout > horizon then scout = 0 end

local function text(number) return string.format('%.3f', number) end

local function keep()
  redis.call('HSET', KEYS[1], 'due', text(due), field.paused, text(paused), field.scout, text(scout), field.doubt, doubt and '1' or '0')
  local needed = math.ceil(math.max(due, paused, scout, now) - now) + 60 * 1000
  -- Another name may need it for longer.
  redis.call('PEXPIRE', KEYS[1], math.max(needed, redis.call('PTTL', KEYS[1])))
end

local function take(patience, remaining, reserved, interval, tolerance, counted)
  if now < paused then return { 'pause', text(paused - now), '0' } end
  if doubt and now < scout then return { 'scout', text(scout - now), '0' } end
  if not reserved then
    -- What a replica counted while it could not reach Redis is spent as well.
    due = math.max(due, now + counted)
    -- Without a budget there are no turns, whatever others have booked.
    local wait = interval > 0 and due - tolerance - now or 0
    if wait > patience then return { 'budget', text(wait), '0' } end
    due = math.max(due, now) + interval
    if wait > 0 then
      keep()
      return { 'budget', text(wait), '1' }
    end
  end
  if doubt then scout = math.floor(now + remaining) end
  keep()
  return { 'go', '0', doubt and text(scout) or '' }
end

local function pause(milliseconds)
  paused, doubt, scout = math.max(paused, now + milliseconds), true, 0
  keep()
end

local function landed(which, answered)
  if which ~= scout then return end
  doubt, scout = not answered, 0
  keep()
end

if ARGV[1] == 'take' then
  local patience, remaining, reserved = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
  return take(patience, remaining, reserved, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]))
end
if ARGV[1] == 'pause' then pause(tonumber(ARGV[3])) end
if ARGV[1] == 'landed' then landed(tonumber(ARGV[3]), ARGV[4] == '1') end
return {}
`
