import { field } from '../parse.ts';

/** The local fleet that `npm start` runs. */
export const localSection = {
  portBase: field.integer('STARLING_PORT_BASE', {
    default: 47_000,
    min: 1024,
    max: 65_000,
    doc: 'First of the seven loopback ports that `npm start` uses: control, NATS, Redis, Discord emulator (REST, gateway), provider emulator, ingress. Change it when another program has one of them.',
  }),
  balancers: field.integer('STARLING_BALANCERS', {
    default: 2,
    min: 1,
    max: 8,
    doc: 'Balancer processes of the local fleet. One is enough for the load; two show that none is special.',
  }),
  workers: field.integer('STARLING_WORKERS', {
    default: 2,
    min: 1,
    max: 32,
    doc: 'Worker processes of the local fleet. More run more answers at once and take about 100 MB each.',
  }),
  directory: field.text('STARLING_DIR', {
    default: '.run',
    doc: 'Folder for the run file, logs and, with a real Discord, the data of NATS and Redis.',
  }),
} as const;
