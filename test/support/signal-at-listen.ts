import { Server } from 'node:net'

// To be loaded before the program: it gets SIGHUP in the very turn of the event loop in which it begins to listen.
const emit = Reflect.get(Server.prototype, 'emit') as (...words: unknown[]) => unknown
Reflect.set(Server.prototype, 'emit', function (this: Server, ...words: unknown[]) {
  if (words[0] === 'listening') process.kill(process.pid, 'SIGHUP')
  return emit.apply(this, words)
})
