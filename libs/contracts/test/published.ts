/** Every contract as the world outside of this library sees it: a plain value that can be compared. */
import { z } from 'zod';
import type { Contract } from '../src/index.ts';
import * as exported from '../src/index.ts';

/** JSON as far as it is needed to compare schemas. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A contract with its payload as JSON Schema, in the form in which readers accept it. */
export interface Published {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
  readonly delivery: string;
  readonly maxBytes: number;
  readonly payload: Json;
}

/** All contracts that the library exports. */
export const contracts: readonly Contract<z.ZodObject>[] = Object.entries(exported)
  .filter(([name]) => name.endsWith('Contract') && name !== 'defineContract')
  .map(([, value]) => value as unknown as Contract<z.ZodObject>);

/** What the golden file of a contract holds. */
export function publish({ schema, ...rest }: Contract<z.ZodObject>): Published {
  const payload = z.toJSONSchema(schema, { io: 'input' });
  return JSON.parse(JSON.stringify({ ...rest, payload }));
}

/** `run request` → `run-request.json`, beside the tests. */
export function goldenPath({ name }: { readonly name: string }): string {
  return `${import.meta.dirname}/golden/${name.replaceAll(' ', '-')}.json`;
}
