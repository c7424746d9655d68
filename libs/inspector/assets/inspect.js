/** The inspector's page: asks the admin port it came from, and shows what it answers. */

const byId = (id) => document.getElementById(id);
const TOKEN = 'posthorn-admin-token';
let lastPath = '';

byId('token').value = sessionStorage.getItem(TOKEN) ?? '';

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, byId('token').value);
  void showGateways();
});
byId('gateways').addEventListener('click', () => void showGateways());
byId('user-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void showUser(byId('user').value.trim());
});
byId('message-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void showMessage(byId('message').value.trim());
});
byId('copy').addEventListener('click', () => void copyCurl());

if (byId('token').value !== '') void showGateways();

async function showGateways() {
  await show('/inspect/gateways', ({ items }) => [
    heading(`${items.length} gateways`),
    table(
      ['gateway', 'state', 'host', 'pid', 'since', 'users', 'connections'],
      items.map(({ gateway, state, about }) => [
        button(gateway, () => void showConnections(gateway)),
        state,
        about?.host,
        about?.pid,
        about?.startedAt,
        about?.users,
        about?.connections,
      ]),
    ),
  ]);
}

async function showConnections(gateway, after = 0) {
  const path = `/inspect/gateways/${encodeURIComponent(gateway)}/connections?after=${after}`;
  await show(path, ({ connections, items }) => [
    heading(`Gateway ${gateway}: ${connections} connections, from ${after + 1} on`),
    table(
      ['user', 'device', 'state', 'for', 'sent', 'acknowledged', 'newest', 'unread bytes'],
      items.map((item) => [
        button(item.user, () => void showUser(item.user)),
        item.device,
        item.state,
        `${Math.round(item.connectedForMs / 1_000)} s`,
        item.sent,
        item.acknowledged,
        item.newest,
        item.bufferedBytes,
      ]),
    ),
    ...(after + items.length < connections
      ? [button('More', () => void showConnections(gateway, after + items.length))]
      : []),
  ]);
}

async function showUser(user) {
  byId('user').value = user;
  await show(`/inspect/users/${encodeURIComponent(user)}`, (report) => [
    heading(`${report.user} is ${inWords(report.online, 'online', 'offline')}`),
    paragraph(`The inbox goes up to ${report.inbox.newestSeq}.`),
    paragraph(
      report.offlineList === null
        ? 'Redis does not answer: the offline list is unknown.'
        : `The offline list in Redis has ${report.offlineList.entries} entries.`,
    ),
    table(
      ['device', 'connected', 'gateway', 'acknowledged', 'behind', 'connected at', 'last seen'],
      report.devices.map((device) => [
        device.device,
        inWords(device.isConnected, 'yes', 'no'),
        device.gateway,
        device.cursor,
        device.behind,
        device.connectedAt,
        device.lastSeenAt,
      ]),
    ),
  ]);
}

async function showMessage(id, after = 0) {
  byId('message').value = id;
  await show(`/inspect/messages/${encodeURIComponent(id)}/delivery?after=${after}`, (report) => [
    heading(`From ${report.from}, committed ${report.committedAt}, to ${report.recipients} recipients`),
    ...report.items.flatMap((item) => [
      heading(`${item.user}: ${item.state}`),
      paragraph(item.why),
      table(
        ['place', 'delivered', 'read', 'gateways', 'on the offline list'],
        [
          [
            item.seq,
            item.deliveredAt,
            item.readAt,
            item.gateways?.join(', '),
            inWords(item.isListed, 'yes', 'no'),
          ],
        ],
      ),
      table(
        ['device', 'state', 'why', 'acknowledged through'],
        item.devices.map((device) => [device.device, device.state, device.why, device.cursor]),
      ),
    ]),
    ...(after + report.items.length < report.recipients
      ? [button('More', () => void showMessage(id, after + report.items.length))]
      : []),
  ]);
}

async function show(path, elementsOf) {
  lastPath = path;
  say('Asking …');
  byId('result').replaceChildren();
  byId('copy').hidden = false;
  byId('curl').hidden = true;
  try {
    const response = await fetch(path, {
      headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN) ?? ''}` },
    });
    const body = await response.json();
    // Another one was asked for meanwhile.
    if (path !== lastPath) return;
    if (!response.ok) return say(`${response.status} ${body.code}: ${body.detail}`, true);
    byId('result').replaceChildren(...elementsOf(body));
    say(`As of ${new Date().toLocaleTimeString()}, all processes together.`);
  } catch (error) {
    say(`No answer: ${error.message}`, true);
  }
}

function say(text, isBad = false) {
  byId('status').textContent = text;
  byId('status').className = isBad ? 'bad' : '';
}

async function copyCurl() {
  const command = `curl -sS -H "Authorization: Bearer $ADMIN_TOKEN" '${location.origin}${lastPath}'`;
  byId('curl').textContent = command;
  byId('curl').hidden = false;
  // Where the page is not from a secure origin the text can still be copied by hand.
  await navigator.clipboard?.writeText(command);
}

function inWords(value, yes, no) {
  return value === null ? 'unknown' : value ? yes : no;
}

function heading(text) {
  return element('h2', text);
}

function paragraph(text) {
  return element('p', text);
}

function button(text, onClick) {
  const made = element('button', text);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

function table(names, rows) {
  const head = document.createElement('tr');
  head.append(...names.map((name) => element('th', name)));
  const lines = rows.map((cells) => {
    const line = document.createElement('tr');
    line.append(
      ...cells.map((cell) => {
        if (!(cell instanceof Node)) return element('td', String(cell ?? '–'));
        const holder = document.createElement('td');
        holder.append(cell);
        return holder;
      }),
    );
    return line;
  });
  const made = document.createElement('table');
  made.append(head, ...lines);
  const scroller = document.createElement('div');
  scroller.className = 'table';
  scroller.append(made);
  return scroller;
}

/** Never as HTML: the texts are other people's. */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
