import type { Problem } from '../problems/problem.js'
import type { Deadline } from '../zendesk/deadline.js'
import type { Answer } from '../zendesk/judge.js'
import { Transport, type Operation, type Verdict, type ZendeskRequest } from '../zendesk/transport.js'

/** The transport of the service, so that the doctor sends what the service sends; it keeps the answers for a second look. */
export class RecordingTransport extends Transport {
  readonly #answers = new Map<Operation, Answer>()

  /** The last one to this operation, if any came. */
  lastAnswer(operation: Operation): Answer | undefined {
    return this.#answers.get(operation)
  }

  override exchange<T>(
    request: ZendeskRequest,
    judge: (answer: Answer) => T | Problem,
    deadline: Deadline,
  ): Promise<Verdict<T>> {
    const record = (answer: Answer): T | Problem => {
      this.#answers.set(request.operation, answer)
      return judge(answer)
    }
    // Nothing is tried again here, so a connection that died since the last check would look like an outage.
    this.discardIdle()
    return super.exchange(request, record, deadline)
  }
}
