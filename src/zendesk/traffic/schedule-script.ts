/**
 * LocalSchedule in Lua, for Redis: its scripts are atomic, and its clock is the same for all. Times are milliseconds since
 * the epoch; they travel as text, since Lua's own rendering of numbers drops digits.
 *
 * KEYS[1] a hash: due, and paused, probe and awaiting of each name. ARGV: the operation, the name, then its numbers.
 */
export const SCHEDULE_SCRIPT = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local field = {}
for _, each in ipairs({ 'paused', 'probe', 'awaiting' }) do field[each] = ARGV[2] .. '.' .. each end
local state = redis.call('HMGET', KEYS[1], 'due', field.paused, field.probe, field.awaiting)
local due, paused, probe = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
local awaiting = state[4] == '1'

-- No slot is reserved and no pause lasts that long: the clock was set back.
local horizon = now + 15 * 60 * 1000
if due > horizon then due = 0 end
if paused > horizon then paused = 0 end
if probe > horizon then probe = 0 end

local function text(number) return string.format('%.3f', number) end

local function keep()
  redis.call('HSET', KEYS[1], 'due', text(due), field.paused, text(paused), field.probe, text(probe), field.awaiting, awaiting and '1' or '0')
  local needed = math.ceil(math.max(due, paused, probe, now) - now) + 60 * 1000
  -- Another name may need it for longer.
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
    if wait > longest then return { 'budget', text(wait), '0' } end
    due = math.max(due, now) + interval
    if wait > 0 then
      keep()
      return { 'budget', text(wait), '1' }
    end
  end
  if awaiting then probe = math.floor(now + remaining) end
  keep()
  return { 'go', '0', awaiting and text(probe) or '' }
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
  return take(longest, remaining, reserved, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]))
end
if ARGV[1] == 'pause' then pause(tonumber(ARGV[3])) end
if ARGV[1] == 'settled' then settled(tonumber(ARGV[3]), ARGV[4] == '1') end
return {}
`
