import { EVERYBODY, Ledger } from './ledger';

describe('the ledger', () => {
  it('accounts for a message that came once to whom it was for', () => {
    const ledger = new Ledger(2);
    const number = ledger.send(7, 100);
    ledger.settle(number, true);
    expect(ledger.isComplete).toBe(false);
    ledger.arrive(number, 7, 103);
    expect(ledger.isComplete).toBe(true);
    expect(ledger.account()).toEqual({
      accepted: 1,
      refused: 0,
      due: 1,
      arrived: 1,
      lost: 0,
      twice: 0,
      toTheWrongOne: 0,
    });
    expect([...ledger.latencies()]).toEqual([3]);
  });

  it('tells what was lost, came twice, or went to the wrong one', () => {
    const ledger = new Ledger(3);
    for (const device of [1, 2, 3]) ledger.settle(ledger.send(device, 0), true);
    ledger.arrive(0, 1, 1);
    ledger.arrive(0, 1, 2);
    ledger.arrive(1, 3, 2);
    expect(ledger.account()).toMatchObject({ arrived: 1, lost: 2, twice: 1, toTheWrongOne: 1 });
  });

  it('expects nothing of what was refused or never answered, and takes it where it comes all the same', () => {
    const ledger = new Ledger(2);
    ledger.settle(ledger.send(1, 0), false);
    ledger.send(1, 0);
    ledger.arrive(1, 1, 5);
    expect(ledger.account()).toMatchObject({ accepted: 0, refused: 2, due: 0, lost: 0, toTheWrongOne: 0 });
  });

  it('expects a message for everybody once at each device', () => {
    const ledger = new Ledger(2, 3);
    ledger.settle(ledger.send(EVERYBODY, 0), true);
    ledger.settle(ledger.send(EVERYBODY, 0), true);
    for (const device of [0, 1, 2]) ledger.arrive(1, device, 9);
    ledger.arrive(0, 2, 1);
    expect(ledger.account()).toMatchObject({ due: 6, arrived: 4, lost: 2, twice: 0 });
  });

  it('counts what belongs to an earlier measurement as having come twice', () => {
    const ledger = new Ledger(1);
    ledger.arriveLate();
    expect(ledger.account().twice).toBe(1);
  });

  it('ends where it is full', () => {
    const ledger = new Ledger(1);
    ledger.send(1, 0);
    expect(ledger.isFull).toBe(true);
    expect(() => ledger.send(1, 0)).toThrow('full');
  });
});
