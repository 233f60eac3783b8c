import { existsSync } from 'node:fs';
import kafkajs, { type Message, type Producer } from 'kafkajs';
import { REVOCATION_TYPE } from '../../../../libs/contracts/index.js';

/** A relay whose revocations get lost on the way while the file that CHAOS_DROP names is there; its heartbeats arrive. */
const file = process.env['CHAOS_DROP'] ?? '';

const arrives = ({ headers }: Message): boolean =>
  String(headers?.['ce_type']) !== REVOCATION_TYPE || !existsSync(file);

const kafka = kafkajs.Kafka.prototype as { producer: (...args: never[]) => Producer };
const { producer } = kafka;
kafka.producer = function (...args) {
  const made = producer.apply(this, args);
  const send = made.send.bind(made);
  made.send = (record) => {
    const messages = record.messages.filter(arrives);
    return messages.length === 0 ? Promise.resolve([]) : send({ ...record, messages });
  };
  return made;
};
