export { type BreakName, breakNames } from './fleet/broken-rules.ts';
export { type FleetStudy, type FleetStudySize, fleetStudy } from './fleet/fleet-study.ts';
export type { SeedResult } from './fleet/run-seed.ts';
export { type BalancerReport, balancerReport } from './study/balancer-report.ts';
export { balancerStudy, type StudyRow, type StudySize } from './study/balancer-study.ts';
