import { oneOf, type Fault } from '../fault.js';

/** kill -9 of an instance under load; it stays away for a while. */
export const serviceKilled: Fault = {
  name: 'service killed',
  breaks: ['services'],
  async inject(stage) {
    const instance = oneOf(stage, stage.cluster.instances);
    await instance.kill();
    return () => instance.restart();
  },
};
