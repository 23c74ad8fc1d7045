/** What starts Swagger UI, as a file of its own: the policy of the page forbids scripts within it. */
export const script = `'use strict'

// Swagger UI is dark where the document has this class.
const dark = matchMedia('(prefers-color-scheme: dark)')
const applyScheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', applyScheme)
applyScheme()

start().catch((error) => {
  document.querySelector('#docs').textContent = 'The contract could not be loaded: ' + error.message
})

async function start() {
  const response = await fetch('openapi.json')
  if (!response.ok) throw new Error('HTTP ' + response.status)
  const contract = await response.json()
  // Try it out asks where this page comes from, also where PUBLIC_URL is another name of the service.
  contract.servers = [{ url: new URL('.', location).href.replace(/\\/$/, '') }]
  forgetCommonHeaders(contract)
  SwaggerUIBundle({
    spec: contract,
    dom_id: '#docs',
    // Without the bar for choosing another document.
    layout: 'BaseLayout',
    validatorUrl: 'none',
    tryItOutEnabled: true,
    displayRequestDuration: true,
    persistAuthorization: false,
    requestSnippetsEnabled: true,
    requestSnippets: {
      generators: {
        curl_bash: { title: 'curl', syntax: 'bash' },
        fetch: { title: 'fetch', syntax: 'javascript' },
      },
      languages: ['curl_bash', 'fetch'],
    },
    plugins: [{ fn: { requestSnippetGenerator_fetch: fetchSnippet } }],
  })
}

/** Shown again with each error, they hide what is special about it. */
function forgetCommonHeaders(contract) {
  for (const { headers } of Object.values(contract.components.responses))
    for (const name of Object.keys(headers)) if (/^(x-|cache-|ratelimit-)/.test(name)) delete headers[name]
}

function fetchSnippet(request) {
  const { url, method, headers = {} } = request.toJS()
  const options = JSON.stringify({ method, headers, credentials: 'omit' }, null, 2)
  return 'const response = await fetch(' + JSON.stringify(url) + ', ' + options + ')\\nconst body = await response.json()'
}
`
