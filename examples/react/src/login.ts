import { UserManager } from 'oidc-client-ts'

const { VITE_ISSUER, VITE_CLIENT_ID, VITE_AUDIENCE, VITE_SCOPE } = import.meta.env

const users = new UserManager({
  authority: VITE_ISSUER,
  client_id: VITE_CLIENT_ID,
  redirect_uri: location.origin + location.pathname,
  scope: VITE_SCOPE,
  resource: VITE_AUDIENCE,
  extraTokenParams: { resource: VITE_AUDIENCE },
})

/** Sends the browser to the provider; the page is loaded anew afterwards. */
export function logIn(): Promise<void> {
  return users.signinRedirect()
}

/** The access token of the signed-in user, also right after the way back from the provider. */
export async function accessToken(): Promise<string | undefined> {
  if (new URLSearchParams(location.search).has('code')) {
    const user = await users.signinRedirectCallback()
    // The code is used up; a reload must not send it again.
    history.replaceState(null, '', location.pathname)
    return user.access_token
  }
  const user = await users.getUser()
  return user?.expired === false ? user.access_token : undefined
}
