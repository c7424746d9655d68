export * from './demo-server';
