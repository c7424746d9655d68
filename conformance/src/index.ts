export { type PlayResult, playAgainstServer, type ServerUnderTest } from './play-against-server';
export { type ClientPlayResult, type ClientUnderTest, playAsServer } from './play-as-server';
export {
  type ClientTranscript,
  clientTranscripts,
  type ServerTranscript,
  serverTranscripts,
} from './transcript';
