import { FaultProxy } from '@posthorn/testing';

/** A proxy on one edge, in front of one process. */
export interface EdgeProxy {
  /** `client-gateway 1` */
  readonly label: string;
  readonly proxy: FaultProxy;
}
