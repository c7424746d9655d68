import { type ServiceName, settingOf } from '@posthorn/runtime/settings-catalogue';
import { Argument, type Command } from 'commander';
import { EXIT } from '../exit.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

const SERVICES: readonly ServiceName[] = ['send-api', 'ws-gateway'];

/** `posthorn config SERVICE`. */
export function addConfig(program: Command, withContext: WithContext): void {
  program
    .command('config')
    .description('print the settings that a service would read here, and the source of each')
    .addArgument(new Argument('<service>', 'which one').choices(SERVICES))
    .action(
      withContext<[ServiceName]>(async ({ env, out }, [service]) => {
        const { effectiveSettings } = await import('../effective-settings.ts');
        const settings = effectiveSettings(env, service);
        await out.result({ service, settings }, () =>
          columns([
            ['setting', 'value', 'from'],
            ...settings.map(({ name, value, source }) => [name, value ?? '', source]),
          ]),
        );
        const wrong = settings.filter(({ problem }) => problem !== undefined);
        for (const { name, problem } of wrong)
          out.note(`${name} ${problem}. For example: ${settingOf(name).example}`);
        return wrong.length === 0 ? EXIT.ok : EXIT.config;
      }),
    );
}
