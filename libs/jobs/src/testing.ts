export { type AdmissionUnderTest, admissionSuite } from './testing/admission-suite.ts';
