import { localFolder } from './paths';
import { tokenCommand } from './token-command';

void tokenCommand(process.argv.slice(2), process.env, localFolder).then(({ code, out, err }) => {
  process.stderr.write(err);
  process.stdout.write(out);
  process.exitCode = code;
});
