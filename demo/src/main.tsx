import { render } from 'preact';
import { App } from './app.tsx';
import { readStack } from './stack.ts';
import './demo.css';

const root = document.querySelector('#app');
if (root !== null) {
  readStack().then(
    (stack) => render(<App stack={stack} />, root),
    (error: unknown) => render(<p class="broken">The stack does not answer: {String(error)}</p>, root),
  );
}
