import { expectProblem, GatewayFixture, refusalOf, type TestGateway } from './gateway.fixture';

describe('an upgrade from a page of another origin', () => {
  let fixture: GatewayFixture;
  let listed: TestGateway;
  let none: TestGateway;
  beforeAll(async () => {
    fixture = await GatewayFixture.open();
    listed = await fixture.start({ ALLOWED_ORIGINS: 'https://app.example.com' });
    none = await fixture.start();
  });
  afterAll(() => fixture.close());

  it.each([
    'null',
    'https://app.example.com.evil',
    'https://evil.app.example.com',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://APP.example.com',
    'https://app.example.com/',
    'https://app.example.com, https://evil.example',
    '*',
    '',
  ])('§2: gets 403 for the Origin "%s", before the token is looked at', async (origin) => {
    const refused = await refusalOf(listed.connectWith('no.good.token', {}, { Origin: origin }));
    expectProblem(refused, 403, 'forbidden_origin');
  });

  it('§2: gets 403 for any Origin where none is allowed, and an upgrade without one is taken', async () => {
    const user = fixture.user();
    const refused = await refusalOf(none.connect(user, {}, { Origin: 'https://app.example.com' }));
    expectProblem(refused, 403, 'forbidden_origin');
    expect(await (await none.connect(user)).next()).toMatchObject({ type: 'welcome' });
  });
});
