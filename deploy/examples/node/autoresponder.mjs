// An autoresponder: who texts HOURS gets the opening hours.
//
// It needs the schema files, avsc and a Kafka client, and nothing else of Two-way. Killed at any
// moment and started again, it sends no answer twice: the id of a request follows from the message.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import avro from 'avsc'
import { Kafka, logLevel } from 'kafkajs'

const KAFKA = process.env.KAFKA ?? '127.0.0.1:9092'
const INGEST = process.env.INGEST ?? 'http://127.0.0.1:8080'
const SCHEMAS = process.env.SCHEMAS ?? fileURLToPath(new URL('../../../schemas', import.meta.url))
const ANSWERS = { HOURS: 'We are open from 9 to 17, Monday to Friday.' }

// How to log in to Kafka: as librdkafka's sasl.username and so on, by KAFKA_SASL_USERNAME and so on.
// KAFKA_SASL_PASSWORD_FILE names the file that holds the password.
function login () {
  const of = name => process.env[`KAFKA_${name}`] ?? ''
  const protocol = of('SECURITY_PROTOCOL')
  const ca = of('SSL_CA_LOCATION')
  const file = of('SASL_PASSWORD_FILE')
  const password = file ? readFileSync(file, 'utf8').trimEnd() : of('SASL_PASSWORD')
  const mechanism = of('SASL_MECHANISM').toLowerCase()
  return {
    ...(protocol.endsWith('SSL') && { ssl: ca ? { ca: [readFileSync(ca, 'utf8')] } : true }),
    ...(protocol.startsWith('SASL') && { sasl: { mechanism, username: of('SASL_USERNAME'), password } })
  }
}

// Every released version of a record, by the 8 octets (in hex) that name it in a value.
function typesByFingerprint (record) {
  const released = readFileSync(`${SCHEMAS}/released.toml`, 'utf8')
  const line = new RegExp(`^"(${record}/\\d+)" = .*fingerprint = "(\\w+)"`, 'gm')
  return new Map([...released.matchAll(line)].map(([, name, fingerprint]) => {
    const schema = JSON.parse(readFileSync(`${SCHEMAS}/${name}.avsc`, 'utf8'))
    return [fingerprint, avro.Type.forSchema(schema)]
  }))
}

// Avro single-object encoding: C3 01, the fingerprint, the body.
function readValue (value, types) {
  const type = types.get(value.toString('hex', 2, 10))
  if (value.toString('hex', 0, 2) !== 'c301' || type === undefined) {
    throw new Error('no schema of ours: take the schema files of the release that runs')
  }
  return type.fromBuffer(value.subarray(10))
}

// Ask for an answer; asking again with the same id and content changes nothing.
// Whether the answer may be sent is Two-way's to decide: after a STOP it is not.
async function askForMt (message, text) {
  const hourMs = 3_600_000
  const asked = {
    to: message.handset,
    from: message.number,
    text,
    // Nobody waits for the answer to what was asked long ago. Avro's time is in microseconds.
    not_after: new Date(message.received_at / 1000 + hourMs).toISOString()
  }
  const request = {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Idempotency-Key': `autoresponder-${message.message_id}`
    },
    body: JSON.stringify(asked)
  }
  for (;;) {
    let answer
    try {
      answer = await fetch(`${INGEST}/mt`, { ...request, signal: AbortSignal.timeout(10_000) })
    } catch { // nobody knows whether it was taken: so ask again
      await sleep(1_000)
      continue
    }
    if (answer.ok || answer.status === 409) return // 409: asked before, in other words
    if (answer.status !== 503) throw new Error(`${answer.status}: ${await answer.text()}`)
    await sleep(1_000 * Number(answer.headers.get('Retry-After') ?? 5))
  }
}

const types = typesByFingerprint('mo_message')
const kafka = new Kafka({
  clientId: 'autoresponder', brokers: KAFKA.split(','), logLevel: logLevel.ERROR, ...login()
})
// kafkajs reads committed records alone, and commits an offset once eachMessage is done with it.
const consumer = kafka.consumer({ groupId: 'autoresponder', sessionTimeout: 6_000, heartbeatInterval: 2_000 })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => consumer.disconnect())
consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) process.exit(1) })
await consumer.connect()
await consumer.subscribe({ topic: 'mo-message', fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message: record }) => {
    const message = readValue(record.value, types)
    const answer = ANSWERS[message.text.trim().toUpperCase()]
    if (answer && message.complete) await askForMt(message, answer)
  }
})
