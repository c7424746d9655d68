import { Keys } from './keys';

test('§6: keys and channels are spelled as documented', () => {
  const keys = new Keys('posthorn:');
  expect(keys.presence('bob')).toBe('posthorn:{bob}:presence');
  expect(keys.offline('bob')).toBe('posthorn:{bob}:offline');
  expect(keys.lease('g1')).toBe('posthorn:gateway:g1');
  expect(keys.channel('g1')).toBe('posthorn:gateway:g1');
  expect(keys.sends('bob')).toBe('posthorn:{bob}:sends');
});

test('§6: whatever the user is called, all keys of a user share the hash tag of a Cluster', () => {
  const keys = new Keys('p:');
  for (const user of ['a:b', '@', '-', 'x'.repeat(128)]) {
    const tags = [keys.presence(user), keys.offline(user), keys.sends(user)].map(
      (key) => /\{(.+?)\}/.exec(key)?.[1],
    );
    expect(tags).toEqual([user, user, user]);
  }
});
