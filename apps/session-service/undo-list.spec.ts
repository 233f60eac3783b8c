import { describe, expect, it } from '@jest/globals';
import { UndoList } from './undo-list.js';

describe('UndoList', () => {
  it('undoes in the opposite order, once, and goes on after a failure', async () => {
    const undone: string[] = [];
    const undo = new UndoList();
    undo.add(() => void undone.push('first'));
    undo.add(() => Promise.reject(new Error('stuck')));
    undo.add(async () => {
      await Promise.resolve();
      undone.push('last');
    });
    expect(await undo.run()).toEqual([new Error('stuck')]);
    expect(await undo.run()).toEqual([]);
    expect(undone).toEqual(['last', 'first']);
  });
});
