export {
  balancerStudy,
  type DesignName,
  type StudyRow,
  type StudySize,
} from './study/balancer-study.ts';
