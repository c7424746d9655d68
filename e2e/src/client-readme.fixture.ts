import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { repoFile } from './docs/repository';

/** The addresses that replace the example addresses in the README's code. */
export interface Addresses {
  gateway: string;
  api: string;
  /** The application that gives out tokens. */
  app: string;
}

const README = 'libs/client/README.md';

/** The code of the client's README, as files that can import what e2e depends on. */
export class ReadmeCode {
  readonly folder: string;
  readonly blocks: ReadonlyMap<string, string>;

  constructor() {
    const parent = repoFile('e2e/.posthorn');
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, 'readme-'));
    this.blocks = new Map(
      [...readFileSync(repoFile(README), 'utf8').matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(
        ([, name = '', code = '']) => [name, code],
      ),
    );
  }

  /** Type-checks every block like a user's compiler. Throws the compiler's output if that fails. */
  async check(): Promise<void> {
    for (const [name, code] of this.blocks) writeFileSync(join(this.folder, name), code);
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'nodenext',
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    writeFileSync(join(this.folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(this.folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: [...this.blocks.keys()] }),
    );
    const tsc = repoFile('node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', this.folder]).catch(
      (error: { stdout: string }) => {
        throw new Error(error.stdout);
      },
    );
  }

  /** Writes a block as a script for Node and returns its path. */
  async script(name: string, addresses: Addresses): Promise<string> {
    const { code } = await transform(this.#pointedTo(name, addresses), { loader: 'ts', format: 'esm' });
    const path = join(this.folder, name.replace(/\.ts$/, '.mjs'));
    writeFileSync(path, code);
    return path;
  }

  /** A block as a browser gets it: one file with all imports, as a bundler makes it. */
  async bundle(name: string, addresses: Addresses, tail = ''): Promise<string> {
    const { outputFiles } = await build({
      stdin: { contents: this.#pointedTo(name, addresses) + tail, loader: 'ts', resolveDir: this.folder },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      minify: true,
      write: false,
    });
    return outputFiles[0]?.text ?? '';
  }

  remove(): void {
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true });
  }

  #pointedTo(name: string, { gateway, api, app }: Addresses): string {
    const code = this.blocks.get(name);
    if (code === undefined) throw new Error(`${README} has no block that begins with // ${name}`);
    return code
      .replaceAll('wss://chat.example.com', gateway)
      .replaceAll('https://api.example.com', api)
      .replaceAll('https://app.example.com', app);
  }
}
