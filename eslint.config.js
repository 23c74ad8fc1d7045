import eslint from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

// Imports go down; see "Where things are" in CONTRIBUTING.md. Each entry: the files it is about and what they may not import.
const floors = [
  {
    files: ['src/**/*.ts'],
    except: ['src/app.ts', 'src/metrics-app.ts'],
    deny: ['**/plugins/*', '**/routes/*'],
    why: 'Only the two assemblies know plugins and routes.',
  },
  {
    files: ['src/problems/*.ts'],
    deny: ['../*', '!../page.js', 'fastify*'],
    why: 'src/problems imports nothing but the page: everything else builds on it.',
  },
  {
    files: ['src/zendesk/**/*.ts'],
    deny: ['fastify*', '@fastify/*', '**/plugins/*', '**/routes/*', '../app.js', '../server.js'],
    why: 'src/zendesk knows nothing of Fastify.',
  },
  {
    files: ['src/callers/**/*.ts'],
    deny: ['fastify*', '@fastify/*', '**/plugins/*', '**/routes/*', '**/zendesk/*', '../app.js'],
    why: 'src/callers knows nothing of Fastify and Zendesk.',
  },
  { files: ['plugins/**/*.ts'], deny: ['./*', '**/routes/*', '**/src/app.js'], why: 'Plugins stand alone.' },
  { files: ['routes/**/*.ts'], deny: ['./*', '**/src/app.js'], why: 'Routes stand alone.' },
]

export default defineConfig(
  // Both are compiled by tests: the one with types made from the contract, the other with its own compiler.
  { ignores: ['dist/', '.tap/', 'examples/typescript/', 'examples/react/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
    },
  },
  {
    files: ['examples/browser/*.js', 'test/fixtures/*.js'],
    languageOptions: { globals: { document: 'readonly', fetch: 'readonly', FormData: 'readonly' } },
  },
  {
    files: ['examples/node/*.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', fetch: 'readonly', AbortSignal: 'readonly' },
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  {
    files: ['src/**/*.ts', 'plugins/**/*.ts', 'routes/**/*.ts'],
    ignores: ['src/start.ts', 'src/cli.ts', 'src/health-check.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only the process reads the environment.' },
      ],
    },
  },
  ...floors.map(({ files, except = [], deny, why }) => ({
    files,
    ignores: except,
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: deny, message: why }] }] },
  })),
)
