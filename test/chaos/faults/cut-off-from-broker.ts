import { oneOf, type Fault, type Stage } from '../fault.js';
import { breakPaths } from '../weather.js';

const overKafka = (stage: Stage) =>
  oneOf(
    stage,
    stage.cluster.nodes.filter(({ isOverKafka }) => isOverKafka),
  );

export const nodeCutOffFromBroker: Fault = {
  name: 'node cut off from the broker',
  breaks: ['nodes'],
  needs: ['Kafka'],
  inject: (stage) => breakPaths(stage, overKafka(stage).brokerPaths),
};

export const nodeCutOffFromBoth: Fault = {
  name: 'node cut off from the broker and the service',
  breaks: ['nodes'],
  needs: ['Kafka'],
  inject(stage) {
    const { paths, brokerPaths } = overKafka(stage);
    return breakPaths(stage, [...paths, ...brokerPaths]);
  },
};

/** One instance, or all: then nobody publishes. */
export const serviceCutOffFromBroker: Fault = {
  name: 'service cut off from the broker',
  breaks: ['services'],
  needs: ['Kafka'],
  inject(stage) {
    const { instances } = stage.cluster;
    const cut = stage.random() < 0.5 ? instances : [oneOf(stage, instances)];
    return breakPaths(
      stage,
      cut.flatMap(({ brokerPaths }) => brokerPaths),
    );
  },
};
