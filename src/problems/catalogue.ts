import { requestProblems } from './request-problems.js'
import { serviceProblems } from './service-problems.js'
import { zendeskProblems } from './zendesk-problems.js'

/** Every problem type of this service, by its code. */
export const catalogue = { ...requestProblems, ...serviceProblems, ...zendeskProblems }

export type ProblemCode = keyof typeof catalogue
