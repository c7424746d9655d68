/** One figure that scenarios measure. */
export interface Metric {
  readonly label: string;
  readonly unit: string;
  /** Which direction is better. */
  readonly better: 'higher' | 'lower';
  readonly digits: number;
}

/** Every figure, by its key in the results. */
export const metrics = {
  sendsPerSecond: { label: 'sends', unit: '/s', better: 'higher', digits: 0 },
  deliveriesPerSecond: { label: 'deliveries', unit: '/s', better: 'higher', digits: 0 },
  cpuMs: { label: 'CPU per message', unit: 'ms', better: 'lower', digits: 3 },
  cpuMsPerDelivery: { label: 'CPU per delivery', unit: 'ms', better: 'lower', digits: 4 },
  postP50: { label: 'POST → answer, p50', unit: 'ms', better: 'lower', digits: 2 },
  postP99: { label: 'POST → answer, p99', unit: 'ms', better: 'lower', digits: 2 },
  frameP50: { label: 'POST → frame, p50', unit: 'ms', better: 'lower', digits: 2 },
  frameP99: { label: 'POST → frame, p99', unit: 'ms', better: 'lower', digits: 2 },
  drainPerSecond: { label: 'drained messages', unit: '/s', better: 'higher', digits: 0 },
  recordedPerSecond: { label: 'drained, receipts recorded', unit: '/s', better: 'higher', digits: 0 },
  pageMs: { label: 'inbox page, p50', unit: 'ms', better: 'lower', digits: 2 },
  connectsPerSecond: { label: 'connects', unit: '/s', better: 'higher', digits: 0 },
  cpuMsPerConnect: { label: 'CPU per connect', unit: 'ms', better: 'lower', digits: 3 },
  heapKb: { label: 'heap per idle connection', unit: 'KB', better: 'lower', digits: 1 },
  rssKb: { label: 'memory per idle connection', unit: 'KB', better: 'lower', digits: 1 },
  cpuMsPerThousand: {
    label: 'CPU per second of 1,000 idle connections',
    unit: 'ms',
    better: 'lower',
    digits: 3,
  },
  tableBytes: { label: 'tables and indexes per message', unit: 'bytes', better: 'lower', digits: 0 },
  walBytes: { label: 'write-ahead log per message', unit: 'bytes', better: 'lower', digits: 0 },
  calmP99: { label: 'POST → answer before, p99', unit: 'ms', better: 'lower', digits: 1 },
  stormP99: { label: 'POST → answer during the storm, p99', unit: 'ms', better: 'lower', digits: 1 },
  caughtUpS: { label: 'until all were back and caught up', unit: 's', better: 'lower', digits: 2 },
  seqScans: { label: 'sequential scans of tables that grow', unit: '', better: 'lower', digits: 0 },
} as const satisfies Record<string, Metric>;

export type MetricKey = keyof typeof metrics;

/** The figures of one measurement; some of the list. */
export type Figures = Partial<Record<MetricKey, number>>;
