import { Component } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from './history.ts';
import type { Person } from './person.ts';

const WORDS: Readonly<Record<Person['status']['state'], string>> = {
  connecting: 'connecting …',
  online: 'online',
  polling: 'reads over HTTP',
  waiting: 'open in another tab',
  offline: 'no connection, trying again …',
  stopped: 'stopped',
  closed: 'offline',
};

/** How many messages are drawn unless more are requested. A browser lays out all of them at every change. */
const NEWEST = 200;

/** One person's phone. */
export function Chat({ person }: { person: Person }) {
  const { name, peer, status, isOffline, history } = person;
  const id = `chat-${name}`;
  return (
    <section class="phone" aria-labelledby={id} data-person={name} data-state={status.state}>
      <div class="bar">
        <h2 id={id}>{name}</h2>
        <span class={`pill ${status.state}`} role="status">
          {WORDS[status.state]}
        </span>
        <button
          type="button"
          class="power"
          aria-pressed={isOffline}
          onClick={() => (isOffline ? person.goOnline() : void person.goOffline())}
        >
          {isOffline ? 'Come back' : 'Go offline'}
        </button>
      </div>
      <Messages entries={history.entries} peer={peer} />
      <Composer person={person} />
    </section>
  );
}

function Messages({ entries, peer }: { entries: readonly Entry[]; peer: string }) {
  const list = useRef<HTMLOListElement>(null);
  const [isAll, setAll] = useState(false);
  const shown = isAll ? entries : entries.slice(-NEWEST);
  const newest = entries.length;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest]);
  return (
    <ol class="messages" ref={list} tabIndex={0} aria-label={`Messages with ${peer}`}>
      {entries.length === 0 && <li class="hint">Nothing yet.</li>}
      {shown.length < entries.length && (
        <li class="hint">
          <button type="button" onClick={() => setAll(true)}>
            Show the {entries.length - shown.length} before
          </button>
        </li>
      )}
      {shown.map((entry) => (
        <Row key={entry.key} entry={entry} />
      ))}
    </ol>
  );
}

/** One message. It is drawn again only when it has changed. */
class Row extends Component<{ entry: Entry }> {
  override shouldComponentUpdate(next: { entry: Entry }): boolean {
    return next.entry !== this.props.entry;
  }

  override render({ entry: { isOwn, state, text, shownAtMs } }: { entry: Entry }) {
    return (
      <li class={isOwn ? 'own' : 'other'} data-state={state}>
        <span class="text">{text}</span>
        <span class="about">
          <time dateTime={new Date(shownAtMs).toISOString()}>{timeOf(shownAtMs)}</time>
          {state !== undefined && <Tick state={state} />}
        </span>
      </li>
    );
  }
}

const TICKS = {
  pending: ['◷', 'waits to be sent'],
  sent: ['✓', 'sent: it will arrive'],
  delivered: ['✓✓', 'delivered'],
  read: ['✓✓', 'read'],
  failed: ['!', 'refused'],
} as const;

function Tick({ state }: { state: NonNullable<Entry['state']> }) {
  const [sign, words] = TICKS[state];
  return (
    <span class={`tick ${state}`} role="img" aria-label={words} title={words}>
      {sign}
    </span>
  );
}

function Composer({ person }: { person: Person }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const field = `text-${person.name}`;
  const send = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === '') return;
    person.send(text).then(
      () => {
        setText('');
        setFault('');
      },
      (error: unknown) => setFault(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <form class="composer" onSubmit={send}>
      <label class="hidden" for={field}>
        Message of {person.name}
      </label>
      <input
        id={field}
        value={text}
        autocomplete="off"
        placeholder={person.isOffline ? 'Come back to write' : `Write to ${person.peer}`}
        disabled={person.isOffline}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button disabled={person.isOffline}>Send</button>
      {fault !== '' && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}

function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}
