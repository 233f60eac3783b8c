import { oneOf, type Fault } from '../fault.js';

/** SIGSTOP of one instance, or of all: connections stay, and nothing answers. */
export const servicePaused: Fault = {
  name: 'service paused',
  breaks: ['services'],
  inject(stage) {
    const { instances } = stage.cluster;
    const paused = stage.random() < 0.3 ? instances : [oneOf(stage, instances)];
    for (const instance of paused) instance.signal('SIGSTOP');
    return Promise.resolve(() => {
      for (const instance of paused) instance.signal('SIGCONT');
      return Promise.resolve();
    });
  },
};
