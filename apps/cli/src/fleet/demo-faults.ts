import type { RunningFleet } from './fleet.ts';

const demoFaults = {
  /** Every attempt fails until the deadline. */
  'provider-500': { rules: [{ fault: { kind: 'status', status: 500 } }] },
} as const;

type DemoFault = keyof typeof demoFaults;

export function isDemoFault(name: string): name is DemoFault {
  return name in demoFaults;
}

/** Switches a fault of the provider emulator on. */
export async function plantFault({ llmUrl }: RunningFleet, name: DemoFault): Promise<void> {
  if (!llmUrl) throw new Error('faults need the simulated provider');
  const response = await fetch(`${llmUrl}/control/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(demoFaults[name]),
  });
  if (!response.ok) throw new Error(`the provider emulator refused it: ${await response.text()}`);
}
