/** What differs from Swagger UI's own style: less space above the first operation, less unused width, room on a phone. */
export const style = `
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; }
@media (prefers-color-scheme: dark) { body { background: #1c2022; color: #e4e6e6; } }
.swagger-ui .info { margin: 16px 0 4px; }
.swagger-ui .info hgroup.main { margin: 0 0 8px; }
.swagger-ui .info .title { font-size: 24px; }
.swagger-ui .info .info__summary { display: none; }
.swagger-ui .info .markdown p { margin: 5px 0; }
.swagger-ui .info__license { float: left; margin-right: 1.5em; }
.swagger-ui .scheme-container { padding: 6px 0; margin: 0; box-shadow: none; background: none; }
.swagger-ui .scheme-container .schemes > .schemes-server-container { display: none; }
.swagger-ui .opblock-tag { padding: 6px 20px 6px 10px; }
.swagger-ui .opblock .opblock-section-header { min-height: 40px; }
.swagger-ui .response-col_links { display: none; }
@media (max-width: 640px) {
  .swagger-ui .wrapper, .swagger-ui .opblock-body .opblock-section-header { padding: 0 10px; }
  .swagger-ui .opblock-tag { flex-wrap: wrap; padding: 6px 0; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-method { min-width: 56px; padding: 6px 4px; }
  .swagger-ui .opblock .opblock-summary-description { padding: 2px 0; }
  .swagger-ui .responses-inner, .swagger-ui .parameters-container .table-container { padding: 10px; }
  .swagger-ui table tbody tr td:first-of-type { max-width: 4.5em; min-width: 3em; padding-right: 6px; overflow-wrap: anywhere; }
  .swagger-ui .response-controls { flex-wrap: wrap; gap: 8px; }
  .swagger-ui .download-contents, .swagger-ui .copy-to-clipboard { position: static; display: inline-flex; margin-top: 4px; }
  .swagger-ui .auth-container input { min-width: 0; width: 100%; }
}
`
