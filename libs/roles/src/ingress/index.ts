export { type ApiKey, parseApiKeys } from './api-keys.ts';
export { readApiKeys } from './read-api-keys.ts';
export {
  type Ingress,
  type IngressConfig,
  type IngressParts,
  type IngressSnapshot,
  startIngress,
} from './start-ingress.ts';
