import { findKafka } from '#local-cluster';

const found = await findKafka();

/** Why no brokers can be started here that may be broken; undefined: they can. */
export const whyNoBrokers =
  'missing' in found
    ? found.missing
    : found.how === 'external'
      ? 'KAFKA_BROKERS is set, and brokers of somebody else are not broken'
      : undefined;
