import { type Outgoing, withReceipt } from './outgoing.ts';

const sent: Outgoing = {
  key: 'k',
  to: ['bob', 'carol'],
  text: 'hello',
  state: 'sent',
  createdAtMs: 0,
  receipts: {},
};

describe('withReceipt', () => {
  it('§5.9: is as far as the recipient who is least far, in whatever order receipts come', () => {
    const read = withReceipt(sent, 'bob', 'read');
    expect(read.state).toBe('sent');
    expect(withReceipt(read, 'bob', 'delivered')).toBe(read);
    const delivered = withReceipt(read, 'carol', 'delivered');
    expect(delivered.state).toBe('delivered');
    expect(withReceipt(delivered, 'carol', 'read').state).toBe('read');
  });

  it('takes no notice of somebody it was not sent to', () => {
    expect(withReceipt(sent, 'mallory', 'read')).toBe(sent);
  });
});
