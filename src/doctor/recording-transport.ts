import type { Problem } from '../problems/problem.js'
import type { Answer } from '../zendesk/judge.js'
import type { Call, OperationName, Verdict } from '../zendesk/operation.js'
import { Transport } from '../zendesk/transport.js'

/** The transport of the service, so that the doctor sends what the service sends; it keeps the answers for a second look. */
export class RecordingTransport extends Transport {
  readonly #answers = new Map<OperationName, Answer>()

  /** The last one to this operation, if any came. */
  lastAnswer(operation: OperationName): Answer | undefined {
    return this.#answers.get(operation)
  }

  override exchange<T>(call: Call<T>): Promise<Verdict<T>> {
    const { operation } = call
    const judge = (answer: Answer): T | Problem => {
      this.#answers.set(operation.name, answer)
      return operation.judge(answer)
    }
    // Nothing is tried again here, so a connection that died since the last check would look like an outage.
    this.discardIdle()
    return super.exchange({ ...call, operation: { ...operation, judge } })
  }
}
