import 'reflect-metadata';
import { loadSendApiSettings, runService } from '@posthorn/runtime';
import { createSendApi } from './send-api';

void runService('send-api', process.env, loadSendApiSettings, createSendApi);
