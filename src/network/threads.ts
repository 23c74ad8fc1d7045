/**
 * To be imported before everything else: libuv reads this when it starts its threads. getaddrinfo may have half of them, two by
 * default, and each name whose server is silent occupies one for as long as the resolver waits: Redis, issuers, collector and a
 * forward proxy may be such names, and Zendesk's must still resolve. Node 20 has its threads before a module of ours runs, so
 * `npm start` sets the variable as well.
 */
process.env['UV_THREADPOOL_SIZE'] ??= '16'
