import type { Section } from './parse.ts';
import * as sections from './sections.ts';

/** Every section by the name of its export, for what looks at all settings at once. */
export const allSections: Readonly<Record<string, Section>> = sections;
