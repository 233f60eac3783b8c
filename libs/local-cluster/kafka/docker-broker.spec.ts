import { describe, expect, it } from '@jest/globals';
import { containerOptions } from './docker-broker.js';

describe('the container of a Kafka broker', () => {
  const options = containerOptions(21_234);

  it('is published on loopback alone, on the port that it advertises', () => {
    expect(options.filter((_, index) => options[index - 1] === '--publish')).toEqual([
      '127.0.0.1:21234:9092',
    ]);
    expect(options).toContain('KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:21234');
  });

  it('takes its properties as the image reads them', () => {
    expect(options).toEqual(
      expect.arrayContaining([
        'KAFKA_NODE_ID=1',
        'KAFKA_AUTO_CREATE_TOPICS_ENABLE=false',
        'KAFKA_MIN_INSYNC_REPLICAS=1',
      ]),
    );
  });
});
