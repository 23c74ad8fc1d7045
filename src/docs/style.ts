/** What differs from Swagger UI's own style: less space above the first operation, colours before its script has run. */
export const style = `
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; }
@media (prefers-color-scheme: dark) { body { background: #1c2022; } }
.swagger-ui .info { margin: 20px 0 8px; }
.swagger-ui .info .title { font-size: 26px; }
.swagger-ui .info .markdown p { margin: 6px 0; }
.swagger-ui .info__license, .swagger-ui .info__extdocs { display: inline-block; margin-right: 1.5em; font-size: 13px; }
.swagger-ui .scheme-container { padding: 8px 0; margin: 0 0 8px; box-shadow: none; }
`
