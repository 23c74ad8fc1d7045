import { useMutation, useQuery } from '@tanstack/react-query'
import { accessToken, logIn } from './login'
import { RenewalError, renewSession } from './renewSession'

const LONGEST_WAIT_SECONDS = 60

export function App() {
  const login = useQuery({
    queryKey: ['login'],
    queryFn: async () => (await accessToken()) ?? null,
    staleTime: Infinity,
  })
  // A mutation, not a query: react-query repeats queries whenever the window gets the focus.
  const renewal = useMutation({
    mutationFn: (jwt: string) => renewSession(import.meta.env.VITE_SERVICE, jwt),
    retry: (failures, error) => failures < 3 && waitOf(error) <= LONGEST_WAIT_SECONDS,
    // The random part keeps many pages from returning at the same moment.
    retryDelay: (_failures, error) => (waitOf(error) + Math.random()) * 1000,
  })

  if (login.isPending) return <p>…</p>
  const jwt = login.data
  if (!jwt) return <button onClick={() => void logIn()}>Log in</button>
  return (
    <>
      <button disabled={renewal.isPending} onClick={() => renewal.mutate(jwt)}>
        Renew
      </button>
      <p role="status">
        {renewal.isPending && renewal.failureReason
          ? `Waiting: ${renewal.failureReason.message}`
          : renewal.data}
      </p>
      {renewal.error && <p role="alert">{renewal.error.message}</p>}
    </>
  )
}

/** Infinity where waiting does not help, or nobody knows how long. */
function waitOf(error: Error): number {
  return error instanceof RenewalError ? (error.problem.retryAfter ?? Infinity) : Infinity
}
