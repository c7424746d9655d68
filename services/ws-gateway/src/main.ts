import 'reflect-metadata';
import { loadGatewaySettings, runService } from '@posthorn/runtime';
import { createGateway } from './ws-gateway';

void runService('ws-gateway', process.env, loadGatewaySettings, createGateway);
