import { renewSession } from './renew-session.js'

const form = document.querySelector('form')
const output = document.querySelector('output')
const requestIdShown = document.querySelector('code')

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { service, jwt } = Object.fromEntries(new FormData(form))
  output.textContent = '…'
  const { token, requestId, sentence } = await renewSession(service, jwt)
  output.textContent = token ?? sentence
  requestIdShown.textContent = requestId ?? ''
})
