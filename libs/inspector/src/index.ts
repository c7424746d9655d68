export * from './delivery-report';
export { type InspectorSources, inspectorRoutes } from './inspector-routes';
export type { UserDeviceReport, UserReport } from './user-report';
