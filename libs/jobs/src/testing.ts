export { type AdmissionUnderTest, admissionSuite } from './admission-suite.ts';
